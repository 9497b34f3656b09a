//! A lake's behaviour on folders as people leave them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use contract::schema::TableName;
use contract::types::DataType;
use contract::value::Value;
use datafusion::arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use super::*;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        let path = self.0.path().canonicalize().unwrap().join("lake").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn text(&self, name: &str, content: &str) -> &Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) -> &Self {
        write_parquet(&self.path(name), columns);
        self
    }

    fn lake(&self) -> LocalLake {
        let root = self.path("x").parent().unwrap().to_owned();
        LocalLake::open(LocalLakeOptions::new(root, self.0.path().join("store"))).unwrap()
    }
}

fn write_parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn ints(values: &[i32]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

fn longs(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

async fn rows(lake: &LocalLake, sql: &str) -> Vec<String> {
    let result = lake.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let cell = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::Int(v) => v.to_string(),
        Value::Double(v) => v.to_string(),
        Value::String(v) => v.clone(),
        Value::Boolean(v) => v.to_string(),
        other => format!("{other:?}"),
    };
    result.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|")).collect()
}

async fn schema(lake: &LocalLake, name: &TableName) -> String {
    let table = lake.table(name).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    table.schema.columns.iter().map(|c| format!("{} {}", c.name, c.data_type)).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn parquet_files_that_evolved_read_as_one_table() {
    let folder = Folder::new();
    folder
        .parquet("db/t/day=2024-01-01/a.parquet", vec![("Id", ints(&[1, 2]))])
        .parquet("db/t/day=2024-01-02/b.parquet", vec![("id", longs(&[3])), ("name", texts(&["x"]))])
        .parquet("db/t/day=__HIVE_DEFAULT_PARTITION__/c.parquet", vec![("name", texts(&["y"])), ("id", longs(&[4]))]);
    let lake = folder.lake();
    assert_eq!(schema(&lake, &TableName::new("db", "t")).await, "id bigint, name string, day date");
    let all = rows(&lake, r#"SELECT id, name, day IS NULL FROM "db"."t" ORDER BY id"#).await;
    assert_eq!(all, ["1|NULL|false", "2|NULL|false", "3|x|false", "4|y|true"]);
    let filtered = rows(&lake, r#"SELECT id FROM db.t WHERE id > 1 AND name IS NULL"#).await;
    assert_eq!(filtered, ["2"]);
}

#[tokio::test]
async fn a_filter_on_a_partition_reads_only_its_files() {
    let folder = Folder::new();
    let values: Vec<i64> = (0..10_000).collect();
    for day in 1..=4 {
        folder.parquet(&format!("db/t/day=2024-01-0{day}/hour={day}/a.parquet"), vec![("id", longs(&values))]);
    }
    let lake = folder.lake();
    let all = lake.query("SELECT sum(id) FROM db.t").await.unwrap();
    let one = lake.query("SELECT sum(id) FROM db.t WHERE day = DATE '2024-01-02' AND hour < 3").await.unwrap();
    assert!(one.cost.bytes_scanned * 3 < all.cost.bytes_scanned, "{:?} of {:?}", one.cost, all.cost);
    assert_eq!(one.rows[0][0], Value::Int(49_995_000));
    assert!(lake.query("SELECT id FROM db.t WHERE day = DATE '2025-01-01'").await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn csv_and_json_are_typed_by_their_values() {
    let folder = Folder::new();
    folder
        .text("payments.csv", "id;zip;amount;paid;at\n1;00123;1.5;2024-01-31;2024-01-31 10:00:00\n2;99999;;;\n")
        .text("events/1.json", "{\"kind\":\"a\",\"n\":1}\n{\"kind\":null,\"n\":2.5,\"tags\":[\"x\"]}\n");
    let lake = folder.lake();
    let payments = TableName::new("default", "payments");
    assert_eq!(schema(&lake, &payments).await, "id bigint, zip string, amount double, paid date, at timestamp");
    assert_eq!(rows(&lake, "SELECT zip, amount FROM payments ORDER BY id").await, ["00123|1.5", "99999|NULL"]);
    assert_eq!(rows(&lake, "SELECT n, tags FROM events ORDER BY n").await, ["1|NULL", "2.5|[\"x\"]"]);
    assert_eq!(rows(&lake, "SELECT count(*) FROM payments").await, ["2"]);
}

#[tokio::test]
async fn csv_files_with_other_column_orders_are_one_table() {
    let folder = Folder::new();
    folder.text("db/t/1.csv", "a,b\n1,x\n").text("db/t/2.csv", "B,C,A\ny,2.5,2\n");
    let lake = folder.lake();
    assert_eq!(rows(&lake, "SELECT a, b, c FROM db.t ORDER BY a").await, ["1|x|NULL", "2|y|2.5"]);
}

#[tokio::test]
async fn a_late_value_of_another_type_turns_the_column_to_text() {
    let folder = Folder::new();
    let mut csv = "id,name\n".to_owned();
    (0..300_000).for_each(|i| csv.push_str(&format!("{i},{}\n", "x".repeat(250))));
    csv.push_str("n/a,last\n");
    folder.text("t.csv", &csv);
    let lake = folder.lake();
    let name = TableName::new("default", "t");
    assert_eq!(schema(&lake, &name).await, "id bigint, name string");
    assert_eq!(rows(&lake, "SELECT count(id), max(id) FROM t").await, ["300001|n/a"]);
    assert_eq!(schema(&lake, &name).await, "id string, name string");
}

#[tokio::test]
async fn a_declared_type_that_a_value_does_not_have_names_the_line() {
    let folder = Folder::new();
    let catalog = r#"{"Table": {"Name": "t", "StorageDescriptor": {"Columns": [
        {"Name": "id", "Type": "bigint"}, {"Name": "amount", "Type": "decimal(10,2)"}]}}}"#;
    folder
        .text("_catalog/db.t.json", catalog)
        .text("db/t/a.csv", "1,1.50\n2,2.25\n")
        .text("db/t/b.csv", "id,amount\n3,x\n");
    let lake = folder.lake();
    assert_eq!(rows(&lake, "SELECT count(id) FROM db.t").await, ["3"]);
    let error = lake.query("SELECT amount FROM db.t").await.unwrap_err().to_string();
    assert!(error.contains("b.csv, line 2: column amount holds \"x\", which is no decimal(10,2)"), "{error}");
    fs::remove_file(folder.path("db/t/b.csv")).unwrap();
    let sum = lake.query("SELECT sum(amount) FROM db.t").await.unwrap();
    assert_eq!(sum.rows[0][0], Value::Decimal(375, 2));
}

#[tokio::test]
async fn damaged_files_are_listed_and_the_rest_is_read() {
    let folder = Folder::new();
    folder
        .parquet("db/t/a.parquet", vec![("id", ints(&[1]))])
        .text("db/t/b.parquet", "PAR1 but not really")
        .text("db/t/c.json", "{\"id\": 3}");
    let whole: Vec<i64> = (0..100_000).map(|i| i * 7919 % 100_003).collect();
    folder.parquet("db/t/d.parquet", vec![("id", longs(&whole))]);
    let mut bytes = fs::read(folder.path("db/t/d.parquet")).unwrap();
    bytes[4..60].fill(0xff);
    fs::write(folder.path("db/t/d.parquet"), bytes).unwrap();
    folder.text("ragged/a/1.csv", "a,b\n1,2\n3\n").text("ragged/a/2.csv", "a,b\n5,6\n");
    let lake = folder.lake();
    assert_eq!(rows(&lake, "SELECT sum(id) FROM db.t").await, ["1"]);
    let table = lake.table(&TableName::new("db", "t")).await.unwrap();
    let unreadable: Vec<_> = table.unreadable.iter().map(|(path, _)| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(unreadable, ["b.parquet", "c.json", "d.parquet"]);
    assert_eq!(rows(&lake, "SELECT a FROM ragged.a").await, ["5"]);
    let ragged = lake.table(&TableName::new("ragged", "a")).await.unwrap();
    assert_eq!(ragged.unreadable[0].1, "line 3 has 1 fields where the header has 2");
}

#[tokio::test]
async fn a_column_that_only_a_damaged_file_has_is_left_out_of_the_profile() {
    let folder = Folder::new();
    let whole: Vec<i64> = (0..100_000).map(|i| i * 7919 % 100_003).collect();
    folder
        .parquet("db/t/a.parquet", vec![("id", ints(&[1, 2]))])
        .parquet("db/t/b.parquet", vec![("extra", longs(&whole))]);
    let mut bytes = fs::read(folder.path("db/t/b.parquet")).unwrap();
    bytes[4..60].fill(0xff);
    fs::write(folder.path("db/t/b.parquet"), bytes).unwrap();
    let lake = folder.lake();
    let profiled =
        crate::stage::profile::profile(&lake, &TableName::new("db", "t"), &Default::default()).await.unwrap();
    assert_eq!(profiled.profile.column_stats.keys().collect::<Vec<_>>(), ["id"]);
    assert_eq!((profiled.profile.row_count, profiled.profile.file_count), (2, 1));
    assert!(profiled.profile.unreadable_files[0].contains("b.parquet"));
}

#[tokio::test]
async fn a_json_array_is_told_from_damage() {
    let folder = Folder::new();
    folder.text("db/a/1.json", "[{\"id\": 1},\n {\"id\": 2}]\n").text("db/b/1.json", "{\n \"id\": 1\n}\n");
    let lake = folder.lake();
    for name in ["a", "b"] {
        let error = lake.table(&TableName::new("db", name)).await.unwrap_err().to_string();
        assert!(error.contains("one object a line") && error.contains("jq -c"), "{error}");
    }
}

#[tokio::test]
async fn types_that_conflict_name_both_files() {
    let folder = Folder::new();
    folder.parquet("db/t/a.parquet", vec![("id", ints(&[1]))]).parquet("db/t/b.parquet", vec![("id", texts(&["x"]))]);
    let error = folder.lake().query("SELECT * FROM db.t").await.unwrap_err().to_string();
    assert!(error.contains("a.parquet") && error.contains("b.parquet") && error.contains("is int in"), "{error}");
}

#[tokio::test]
async fn missing_and_empty_tables_say_what_to_do() {
    let folder = Folder::new();
    folder
        .text("db/empty/_SUCCESS", "")
        .text("db/loans/a.csv", "id\n")
        .text("_catalog/db.later.json", r#"{"StorageDescriptor": {"Columns": [{"Name": "id", "Type": "int"}]}}"#);
    let lake = folder.lake();
    let message = |name: (&str, &str)| {
        let (lake, name) = (&lake, TableName::new(name.0, name.1));
        async move { lake.table(&name).await.unwrap_err().to_string() }
    };
    assert!(message(("db", "loan")).await.contains("did you mean db.loans"));
    assert!(message(("db", "../x")).await.contains("cannot be a path"));
    assert!(message(("db", "empty")).await.contains("has no data files"));
    assert_eq!(rows(&lake, "SELECT count(*) FROM db.loans").await, ["0"]);
    assert_eq!(rows(&lake, "SELECT count(*) FROM db.later").await, ["0"]);
    assert_eq!(lake.table(&TableName::new("db", "later")).await.unwrap().schema.columns[0].data_type, DataType::Int);
    assert!(LocalLake::open(LocalLakeOptions::new("/no/such/folder", "s")).is_err());
}

#[tokio::test]
async fn names_that_collide_are_told() {
    let folder = Folder::new();
    folder.text("db/Loans/a.csv", "id\n1\n").text("db/loans/a.csv", "id\n1\n").text("db/t/a.csv", "Id,id\n1,2\n");
    let lake = folder.lake();
    let error = lake.table(&TableName::new("db", "loans")).await.unwrap_err().to_string();
    assert!(error.contains("one name once folded"), "{error}");
    let error = lake.table(&TableName::new("db", "t")).await.unwrap_err().to_string();
    assert!(error.contains("two columns \"id\""), "{error}");
}

#[tokio::test]
async fn a_sort_larger_than_memory_spills() {
    let folder = Folder::new();
    let values: Vec<f64> = (0..2_000_000u64).map(|i| (i * 7919 % 1_000_003) as f64).collect();
    folder.parquet("db/t/a.parquet", vec![("x", Arc::new(Float64Array::from(values)))]);
    let root = folder.path("x").parent().unwrap().to_owned();
    let options = LocalLakeOptions { memory_bytes: 24 << 20, threads: Some(1), ..LocalLakeOptions::new(root, "store") };
    let lake = LocalLake::open(options).unwrap();
    let top =
        rows(&lake, "SELECT x FROM (SELECT x, row_number() OVER (ORDER BY x DESC) r FROM db.t) q WHERE r = 1").await;
    assert_eq!(top, ["1000002"]);
}

#[tokio::test]
async fn values_in_escaped_partition_folders_are_read() {
    let folder = Folder::new();
    folder
        .text("db/t/at=2024-01-01 10%3A00%3A00/a b.csv", "id\n1\n")
        .parquet("db/p/k=a%2Fb/c.parquet", vec![("id", ints(&[1]))]);
    let lake = folder.lake();
    assert_eq!(rows(&lake, "SELECT at, id FROM db.t").await, ["2024-01-01 10:00:00|1"]);
    assert_eq!(rows(&lake, "SELECT k, id FROM db.p").await, ["a/b|1"]);
}
