//! Scripts whose values, columns or expressions double with each line or round have an answer, in memory and time that
//! follow the length of the script.

use analyzer::{Analysis, NoWorld, analyze_uncaught};

/// How often each line stands in a script. What doubles would be far beyond any memory.
const LINES: usize = 80;

fn analyze(text: &str) -> Analysis {
    analyze_uncaught(text, &NoWorld)
}

/// A script that starts with some lines and repeats others, then writes a frame.
fn repeated(start: &str, lines: &str) -> String {
    format!("{start}\n{}df.write.parquet('s3://lake/out/')\n", format!("{lines}\n").repeat(LINES))
}

/// The same with nested loops over known ranges.
fn looped(start: &str, line: &str) -> String {
    format!(
        "{start}\nfor i in range(50):\n    for j in range(50):\n        {line}\ndf.write.parquet('s3://lake/out/')\n"
    )
}

const READ: &str = "from pyspark.sql import functions as F\ndf = spark.read.parquet('s3://lake/in/')";
const CLOSED: &str = "from pyspark.sql import functions as F\ndf = spark.sql('SELECT a, b, 1 AS c FROM db.t')";

#[test]
fn select_lists_that_repeat_all_columns() {
    for start in [READ, CLOSED] {
        let analysis = analyze(&repeated(start, "df = df.select('*', '*')"));
        assert_eq!(analysis.outputs.len(), 1, "the write is still known");
        assert!(!analysis.outputs[0].columns_complete, "what is too large to follow is not known");
        analyze(&looped(start, "df = df.select('*', '*')"));
    }
}

#[test]
fn the_reason_is_told_where_columns_are_too_many() {
    let analysis = analyze(&repeated(CLOSED, "df = df.select('*', '*')"));
    let reason = &analysis.outputs[0].grain.reason;
    assert!(reason.contains("more columns than are followed"), "{reason}");
    assert_eq!(analysis.outputs[0].inputs, ["db.t"]);
}

#[test]
fn frames_that_are_joined_or_united_with_themselves() {
    for start in [READ, CLOSED] {
        for line in [
            "df = df.union(df)",
            "df = df.unionByName(df)",
            "df = df.join(df, 'a', 'left')",
            "df = df.alias('x').join(df.alias('y'), F.col('x.a') == F.col('y.a'))",
            "df = df.crossJoin(df)",
            "df = df.union(df.filter('a > 1')) if unknown else df",
            "df.createOrReplaceTempView('v'); df = spark.sql('SELECT x.*, y.* FROM v x JOIN v y ON x.a = y.a')",
            "df.createOrReplaceTempView('v'); df = spark.sql('SELECT * FROM v UNION ALL SELECT * FROM v')",
        ] {
            analyze(&repeated(start, line));
            analyze(&looped(start, line));
        }
    }
}

#[test]
fn columns_that_are_added_in_nested_loops() {
    for line in [
        "df = df.withColumn(f'c{i}_{j}', F.col('a') + i)",
        "df = df.withColumn('a', F.col('a') + F.col('a'))",
        "df = df.withColumnRenamed('a', 'b').withColumnRenamed('b', 'a')",
        "df = df.drop(f'c{i}_{j}')",
        "df = df.filter(F.col(f'c{i}_{j}') > 0)",
        "df = df.groupBy('a').agg(F.sum('b').alias('b'))",
    ] {
        analyze(&looped(READ, line));
        analyze(&looped(CLOSED, line));
    }
}

#[test]
fn expressions_texts_and_collections_that_double() {
    let start = format!(
        "{READ}\nc = F.col('a')\ns = 'x'\nl = ['x']\nt = ('x',)\nd = {{'x': 1}}\nn = 1\ncond = F.col('a') == 1"
    );
    for line in [
        "c = c + c",
        "c = F.when(c > 1, c).otherwise(c)",
        "c = F.concat(c, c)",
        "cond = cond | (F.col('a') == 1) | cond",
        "s = s + s",
        "s = f'{s}{s}'",
        "s = '{0}{0}'.format(s)",
        "s = '%s%s' % (s, s)",
        "s = s.replace('x', 'xx')",
        "s = ','.join([s, s])",
        "s = s + unknown + s",
        "s = s if unknown else s + 'x'",
        "l = l + l",
        "l = [l, l]",
        "l.extend(l)",
        "l.append(l)",
        "l += l",
        "l = [x for x in l for y in l]",
        "t = (t, t)",
        "t = t + t",
        "t = (t, t) if unknown else (t, t)",
        "d = {**d, s: d}",
        "d[str(n)] = d; n = n + 1",
        "n = n * 7 if unknown else n + 1",
        "f = lambda x: x; s = f(s) + f(s)",
    ] {
        analyze(&repeated(&start, line));
        analyze(&looped(&start, &format!("if unknown:\n            {line}")));
    }
}

#[test]
fn queries_that_double() {
    let ctes: Vec<String> = (1..LINES)
        .map(|n| format!("t{n} AS (SELECT x.*, y.a AS a{n} FROM t{0} x JOIN t{0} y ON x.a = y.a)", n - 1))
        .collect();
    let query = format!("WITH t0 AS (SELECT * FROM db.t), {} SELECT * FROM t{}", ctes.join(", "), LINES - 1);
    analyze(&format!("df = spark.sql('''{query}''')\ndf.write.parquet('s3://lake/out/')\n"));
    let nested = (0..LINES).fold("SELECT a FROM db.t".to_owned(), |inner, n| {
        format!("SELECT a FROM ({inner}) t{n} WHERE a IN (SELECT a FROM db.u{n})")
    });
    analyze(&format!("df = spark.sql('''{nested}''')\ndf.write.parquet('s3://lake/out/')\n"));
    let condition = vec!["(a = 1 OR b = 2)"; 3000].join(" AND ");
    analyze(&format!(
        "df = spark.sql('''SELECT * FROM db.t WHERE {condition}''')\ndf.write.parquet('s3://lake/out/')\n"
    ));
}

#[test]
fn calls_that_branch() {
    for body in
        ["return f(x) + f(x)", "return g(g(x))", "return x if unknown else f(g(x))", "return [f(y) for y in range(50)]"]
    {
        analyze(&format!("def g(x):\n    return f(x)\ndef f(x):\n    {body}\nf(1)\n"));
    }
    let chain: String = (1..LINES).map(|n| format!("def f{n}(x):\n    return f{0}(f{0}(x))\n", n - 1)).collect();
    analyze(&format!("def f0(x):\n    return x + 'x'\n{chain}f{}('x')\n", LINES - 1));
}

#[test]
fn many_arms_variables_and_filters() {
    let arms: String = (0..LINES * 4).map(|n| format!("v{n} = 'x'\nif unknown{n}:\n    v{n} = 'y'\n")).collect();
    analyze(&arms);
    let filters: String = (0..LINES * 4).map(|n| format!("df = df.filter('a{n} > {n}')\n")).collect();
    analyze(&format!("{READ}\n{filters}df.write.parquet('s3://lake/out/')\n"));
    let branches: String = (0..LINES * 4).map(|n| format!(".when(F.col('a') == {n}, '{n}')")).collect();
    analyze(&format!("{READ}\ndf = df.withColumn('x', F{branches})\ndf.write.parquet('s3://lake/out/')\n"));
    let joins: String =
        (0..LINES).map(|n| format!("df = df.join(spark.table('db.t{n}'), 'id{n}', 'left')\n")).collect();
    analyze(&format!("{READ}\n{joins}df.write.parquet('s3://lake/out/')\n"));
    let writes: String = (0..LINES)
        .map(|n| format!("df = df.withColumn('c{n}', F.lit({n}))\ndf.write.parquet('s3://lake/out{n}/')\n"))
        .collect();
    analyze(&format!("{READ}\n{writes}"));
}
