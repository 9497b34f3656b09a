//! Whatever is typed, the analyzer answers: no panic, no hang, and every range is one of the text.

use analyzer::{NoWorld, Parsed, analyze_uncaught};
use proptest::prelude::*;

const SCRIPT: &str = r#"
import sys
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.sql import functions as F
from pyspark.sql.window import Window

args = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket"])
TABLES = [{"name": "orders", "key": "id"}, {"name": "lines", "key": ["id", "n"]}]

def load(table, day=None):
    df = spark.read.parquet(f"s3://{args['bucket']}/{table}/")
    if day:
        df = df.filter(F.col("day") == day)
    return df

class Writer:
    def __init__(self, path):
        self.path = path

    def write(self, df, name):
        df.write.mode("overwrite").partitionBy("day").parquet(self.path + "/" + name)

writer = Writer("s3://out")
for table in TABLES:
    df = load(table["name"])
    w = Window.partitionBy(table["key"]).orderBy(F.desc("updated"))
    df = df.withColumn("rn", F.row_number().over(w)).where("rn = 1").drop("rn")
    try:
        writer.write(df.withColumn("é", F.lit("ü")), table["name"])
    except Exception as error:
        print(error)

raw = glueContext.create_dynamic_frame.from_catalog(database="raw", table_name="events")
mapped = ApplyMapping.apply(frame=raw, mappings=[("a", "string", "b", "int")])
mapped.toDF().createOrReplaceTempView("events")
result = spark.sql("""WITH t AS (SELECT b, count(*) AS n FROM events WHERE b IN (1, 2) GROUP BY b)
SELECT t.*, row_number() OVER (PARTITION BY b ORDER BY n) AS rank FROM t JOIN events e ON t.b = e.b""")
while not done:
    result = result.union(result)
result.groupBy("b").agg({"n": "sum"}).write.saveAsTable("gold.events")
"#;

/// What is typed, pasted and removed: whole statements, halves of them, and what opens or closes something.
const PIECES: [&str; 18] = [
    "",
    "x",
    "é",
    " ",
    "\n",
    "\n    ",
    "#",
    "\"\"\"",
    "'",
    "(",
    ")",
    ".",
    "df",
    "if x:\n    ",
    "else:\n",
    "df = df.select('a', 'b')\n",
    ".withColumn('a', F.col('b') + 1)",
    "def f(x):\n    return x\n",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_truncated_script_has_an_answer(at in 0..SCRIPT.len()) {
        let at = (at..=SCRIPT.len()).find(|at| SCRIPT.is_char_boundary(*at)).unwrap_or(0);
        check(&SCRIPT[..at]);
    }

    #[test]
    fn an_edited_script_has_an_answer(
        edits in prop::collection::vec((0..SCRIPT.len(), 0..12usize, "[\\PC\n]{0,6}"), 1..6),
    ) {
        let mut text: Vec<char> = SCRIPT.chars().collect();
        for (at, removed, inserted) in edits {
            let at = at.min(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, inserted.chars());
        }
        check(&text.into_iter().collect::<String>());
    }

    #[test]
    fn any_sequence_of_edits_gives_the_analysis_of_the_text(
        edits in prop::collection::vec((0..SCRIPT.len(), 0..40usize, prop::sample::select(PIECES.to_vec())), 1..8),
    ) {
        let mut parsed = Parsed::new(SCRIPT.to_owned());
        for (at, removed, inserted) in edits {
            let boundary = |at: usize| (at..=parsed.text().len()).find(|at| parsed.text().is_char_boundary(*at));
            let start = boundary(at.min(parsed.text().len())).unwrap_or(0);
            let end = boundary((start + removed).min(parsed.text().len())).unwrap_or(start);
            let before = parsed.text().to_string();
            let mut text = before.clone();
            text.replace_range(start..end, inserted);
            parsed = parsed.with_text(text);
            prop_assert_eq!(parsed.analyze(&NoWorld), analyze_uncaught(parsed.text(), &NoWorld));
            // Undone, as many edits are.
            if start % 2 == 1 {
                parsed = parsed.with_text(before);
                prop_assert_eq!(parsed.analyze(&NoWorld), analyze_uncaught(parsed.text(), &NoWorld));
            }
        }
    }

    #[test]
    fn bytes_that_are_no_text_have_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,200}") {
        check(&text);
    }
}

#[test]
fn deep_nesting_has_an_answer() {
    check(&"(".repeat(20_000));
    check(&format!("x = {}1{}", "[".repeat(5_000), "]".repeat(5_000)));
    check(&format!("df = spark.read.parquet('p'){}\ndf.write.parquet('q')", ".withColumn('a', x)".repeat(2_000)));
    check("def f(x):\n    return f(f(x))\nf(1)\n");
    check("c = F.col('a')\nfor i in range(200):\n    for j in range(200):\n        c = c + i\ndf.select(c)\n");
}

fn check(text: &str) {
    let analysis = analyze_uncaught(text, &NoWorld);
    let diagnostics = analysis.diagnostics.iter().map(|diagnostic| diagnostic.range);
    for range in analysis.mentions.keys().copied().chain(diagnostics) {
        assert!(text.get(range.start as usize..range.end as usize).is_some(), "{range:?} is no range of the text");
    }
    assert_eq!(analysis, analyze_uncaught(text, &NoWorld), "the same text gives the same answer");
}
