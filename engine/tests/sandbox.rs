//! SQL from outside runs in a process of its own; this binary plays both sides.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what goes wrong here is a failed test")]

use std::process::ExitCode;

use contract::document::context::ContextColumn;
use contract::document::{Context, Test};
use contract::schema::TableName;
use contract::value::Value;
use engine::generator::Proposal;
use engine::lake::local::sandbox::{SUBCOMMAND, child_main};
use engine::lake::local::{LocalLake, LocalLakeOptions};
use engine::lake::{Lake, Limits, QueryResult};
use engine::project::{Project, Settings};
use engine::stage::verify::verify;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(SUBCOMMAND) {
        return child_main();
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("db")).unwrap();
    let numbers: String = (0..2_000).map(|i| format!("{i},v{i}\n")).collect();
    std::fs::write(folder.path().join("db/t.csv"), format!("id,name\n{numbers}")).unwrap();
    std::fs::write(folder.path().join("db/secret.csv"), "pin\n1234\n").unwrap();
    let lake = LocalLake::open(LocalLakeOptions::new(folder.path(), folder.path().join("store"))).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        an_honest_query_answers(&lake).await;
        rows_are_cut_at_the_limit(&lake).await;
        only_allowed_tables_and_functions_are_reached(&lake).await;
        proposed_sql_is_mended_and_run_or_refused(&lake).await;
        killers_are_stopped(&lake).await;
    });
    ExitCode::SUCCESS
}

async fn ask(lake: &LocalLake, sql: &str) -> Result<QueryResult, String> {
    let limits = Limits { tables: vec![TableName::new("db", "t")], seconds: 5, memory_bytes: 256 << 20, rows: 100 };
    lake.engine().query_untrusted(sql, &limits).await.map_err(|error| error.to_string())
}

async fn an_honest_query_answers(lake: &LocalLake) {
    let sql = "SELECT count(*) AS n, max(name), 0e0/0e0, sum(CAST(id AS DECIMAL(10,2))) FROM db.t WHERE id >= 1000";
    let result = ask(lake, sql).await.unwrap();
    assert_eq!(result.rows[0][0], Value::Int(1000));
    assert_eq!(result.rows[0][1], Value::String("v1999".into()));
    assert!(matches!(result.rows[0][2], Value::Double(nan) if nan.is_nan()));
    assert_eq!(result.rows[0][3], Value::Decimal(149_950_000, 2));
    assert!(result.cost.bytes_scanned > 0 && !result.truncated);
    let empty = ask(lake, "SELECT id FROM db.t WHERE id < 0").await.unwrap();
    assert_eq!((empty.columns, empty.rows.len()), (vec!["id".to_owned()], 0));
}

async fn rows_are_cut_at_the_limit(lake: &LocalLake) {
    let result = ask(lake, "SELECT id FROM db.t").await.unwrap();
    assert!(result.truncated);
    assert_eq!(result.rows.len(), 100);
}

async fn only_allowed_tables_and_functions_are_reached(lake: &LocalLake) {
    for (sql, why) in [
        ("SELECT * FROM db.secret", "db.secret: is not in the lake"),
        ("SELECT * FROM '/etc/passwd'", "cannot be a path"),
        ("SELECT * FROM read_parquet('/etc/passwd')", "which is no table"),
        ("SELECT * FROM information_schema.tables", "is not in the lake"),
        ("DROP TABLE db.t", "not exactly one query"),
        ("SELECT version()", "calls version"),
        ("SELECT nope FROM db.t", "nope"),
        ("SELECT id FRM db.t WHERE", "correct the SQL"),
    ] {
        let error = ask(lake, sql).await.unwrap_err();
        assert!(error.contains(why), "{sql}: {error}");
    }
}

async fn proposed_sql_is_mended_and_run_or_refused(lake: &LocalLake) {
    let mut settings = Settings::default();
    settings.limits.query_seconds = 2;
    let project = Project { root: lake.root().to_path_buf(), settings, file: None };
    let column = |name: &str, data_type: &str| ContextColumn {
        name: name.into(),
        data_type: data_type.into(),
        nullable: true,
        comment: None,
        partition_key: false,
    };
    let context = Context {
        table_name: "t".into(),
        database: "db".into(),
        row_count: 2_000,
        schema: vec![column("id", "bigint"), column("name", "string")],
        ..Context::default()
    };
    let proposed = serde_json::json!([
        {"name": "twice", "sql": "SELECT id, COUNT(*) AS cnt FROM t GROUP BY id HAVING cnt > 1"},
        {"name": "negative", "sql": "SELECT COUNT(*) FROM db.t WHERE id < 0"},
        {"name": "positive", "rule": "id >= 0", "stage": "pre_load"},
        {"name": "small", "sql": "SELECT id FROM db.t WHERE id < 10"},
        {"name": "total", "sql": "SELECT COUNT(*) FROM db.t"},
        {"name": "elsewhere", "sql": "SELECT pin FROM db.secret"},
        {"name": "nowhere", "sql": "SELECT id FROM db.t WHERE id IN (SELECT id FROM db.gone)"},
        {"name": "drop", "sql": "DROP TABLE db.t"},
        {"name": "killer", "sql": "SELECT 1 FROM db.t a, db.t b, db.t c WHERE a.id + b.id + c.id = -1"},
    ]);
    let (tests, _) = Test::list_from_value(&proposed);
    let verified = verify(&project, lake, &context, Proposal { tests, ..Proposal::default() })
        .await
        .expect("a proposal is no error");
    let kept: Vec<(&str, &str)> =
        verified.tests.iter().map(|test| (test.name.as_str(), test.sql.as_deref().unwrap_or_default())).collect();
    assert_eq!(
        kept,
        [
            ("twice", "SELECT id, COUNT(*) AS cnt FROM db.t GROUP BY id HAVING COUNT(*) > 1"),
            ("negative", "SELECT COUNT(*) FROM db.t WHERE id < 0"),
        ]
    );
    assert!(verified.contract.rules().any(|rule| rule.id == "positive"));
    for (name, is_kept, why) in [
        ("twice", true, "HAVING repeats the expression of `cnt`"),
        ("small", false, "the table refutes it: 10 of 10 rows"),
        ("total", false, "it counts all rows"),
        ("elsewhere", false, "it does not read db.t"),
        ("nowhere", false, "db.gone, which is not in the lake"),
        ("drop", false, "not one read-only query"),
        ("killer", false, "took longer than 2 s"),
    ] {
        let verdict = verified.verdicts.iter().find(|verdict| verdict.id == name).expect(name);
        assert!(verdict.kept == is_kept && verdict.reason.contains(why), "{verdict:?}");
    }
}

/// The four that went past the embedded engine's own limits.
async fn killers_are_stopped(lake: &LocalLake) {
    let chain = format!("SELECT 1{} FROM db.t", " + 1".repeat(100_000));
    assert!(ask(lake, &chain).await.unwrap_err().contains("is longer than"), "deep chain");
    let allowed = format!("SELECT max(id{}) FROM db.t", " + 1".repeat(390));
    assert_eq!(
        ask(lake, &allowed).await.unwrap().rows[0][0],
        Value::Int(1999 + 390),
        "longest chain that is let through"
    );

    let cross = "SELECT count(*) FROM db.t a, db.t b, db.t c WHERE a.id + b.id + c.id = -1";
    let error = ask(lake, cross).await.unwrap_err();
    assert!(error.contains("took longer than 5 s"), "cross join: {error}");

    let bomb = "SELECT length(repeat(repeat(repeat(name, 1000), 1000), 1000)) FROM db.t";
    let collect = "SELECT array_length(array_agg(a.name || b.name || c.name)) FROM db.t a, db.t b, db.t c";
    for killer in [bomb, collect] {
        let error = ask(lake, killer).await.unwrap_err();
        let stopped = ["took longer than 5 s", "needed more than its limits", "out of memory"];
        assert!(stopped.iter().any(|why| error.contains(why)), "{error}");
    }
}
