//! Jobs of any length that are made of what real ones are made of: reads, joins, filters, computed columns, windows,
//! aggregates, SQL, helpers, loops, conditions and writes. The same length gives the same text.

use std::fmt::Write as _;

use analyzer::World;
use contract::schema::{Column, Provenance, TableName, TableSchema};
use contract::types::DataType;

const START: &str = r#"import sys
from awsglue.context import GlueContext
from awsglue.job import Job
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext
from pyspark.sql import functions as F
from pyspark.sql.window import Window

args = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket", "day"])
glue_context = GlueContext(SparkContext.getOrCreate())
spark = glue_context.spark_session
job = Job(glue_context)
job.init(args["JOB_NAME"], args)
ROOT = f"s3://{args['bucket']}/silver"


def read(table, day=None):
    """Reads a table of the raw database, of one day where a day is given."""
    df = spark.table(f"raw_db.{table}")
    if day is not None:
        df = df.filter(F.col("day") == day)
    return df


def write(df, name):
    df.write.mode("overwrite").partitionBy("day").parquet(f"{ROOT}/{name}/")


def newest(df, key):
    window = Window.partitionBy(key).orderBy(F.col("updated_at").desc())
    return df.withColumn("rn", F.row_number().over(window)).filter(F.col("rn") == 1).drop("rn")

"#;

/// One section of 50 lines that reads three tables and writes two.
const SECTION: &str = r#"
# Section {n}: orders of a region, with their customers and products.
orders_{n} = read("orders_{n}", args["day"])
customers_{n} = read("customers_{n}")
products_{n} = newest(read("products_{n}"), "product_id")
orders_{n} = orders_{n}.filter(F.col("status").isin("PAID", "SENT") & F.col("amount").isNotNull())
orders_{n} = orders_{n}.withColumn("amount_eur", F.round(F.col("amount") * F.col("rate"), 2))
orders_{n} = orders_{n}.withColumn("is_large", F.when(F.col("amount_eur") > 1000, True).otherwise(False))
orders_{n} = orders_{n}.withColumn("ordered_on", F.to_date("created_at", "yyyy-MM-dd"))
orders_{n} = orders_{n}.withColumnRenamed("id", "order_id")
for name in ["status", "channel", "country"]:
    orders_{n} = orders_{n}.withColumn(name, F.upper(F.trim(F.col(name))))
if "--all-regions" not in sys.argv:
    orders_{n} = orders_{n}.where("region = 'EU'")
customers_{n} = (
    customers_{n}.select("customer_id", "name", "segment", F.col("country").alias("customer_country"))
    .dropDuplicates(["customer_id"])
)
joined_{n} = (
    orders_{n}.join(customers_{n}, "customer_id", "left")
    .join(products_{n}.drop("day", "updated_at"), orders_{n}.product_id == products_{n}.product_id, "left")
    .drop(products_{n}.product_id)
)
joined_{n} = joined_{n}.withColumn(
    "label",
    F.concat_ws(" / ", F.col("segment"), F.coalesce(F.col("category"), F.lit("none"))),
)
try:
    write(joined_{n}.select("order_id", "customer_id", "amount_eur", "label", "ordered_on", "day"), "orders_{n}")
except Exception as error:
    print(f"section {n} failed: {error}")
    raise
joined_{n}.createOrReplaceTempView("joined_{n}")
totals_{n} = spark.sql("""
    WITH large AS (
        SELECT customer_id, segment, amount_eur, ordered_on FROM joined_{n} WHERE is_large AND amount_eur < 100000
    )
    SELECT customer_id, segment, sum(amount_eur) AS total, count(*) AS orders, max(ordered_on) AS last_order
    FROM large
    GROUP BY customer_id, segment
    HAVING count(*) > 1
""")
totals_{n} = totals_{n}.withColumn("day", F.lit(args["day"])).withColumn("average", F.col("total") / F.col("orders"))
summary_{n} = totals_{n}.groupBy("segment", "day").agg(
    F.sum("total").alias("total"),
    F.countDistinct("customer_id").alias("customers"),
    F.max("last_order").alias("last_order"),
)
write(summary_{n}, "totals_{n}")
"#;

/// A job of about so many lines.
pub(crate) fn job(lines: usize) -> String {
    let mut text = START.to_owned();
    let (start, section) = (START.lines().count(), SECTION.lines().count());
    for n in 0..lines.saturating_sub(start).div_ceil(section) {
        let _ = write!(text, "{}", SECTION.replace("{n}", &n.to_string()));
    }
    text.push_str("job.commit()\n");
    text
}

/// A job of about so many lines whose steps each build on the one before, one in four a join.
pub(crate) fn chain(lines: usize) -> String {
    let mut text = "from pyspark.sql import functions as F\n\nloans = spark.table(\"raw_db.loans\")\n\
                    step_0 = spark.table(\"raw_db.orders_1\")\n"
        .to_owned();
    for step in 0..lines * 4 / 7 {
        let next = step + 1;
        let _ = match step % 4 {
            0 => writeln!(
                text,
                "step_{next} = step_{step}.withColumn(\"value_{step}\", F.col(\"amount\").cast(\"double\") * 2)"
            ),
            1 => writeln!(
                text,
                "step_{next} = step_{step}.filter((F.col(\"status\") == \"PAID\") & F.col(\"amount\").isNotNull())"
            ),
            2 => writeln!(text, "step_{next} = step_{step}.drop(\"value_{}\")", step - 2),
            _ => writeln!(
                text,
                "step_{next} = step_{step}.join(\n    loans.select(\"id\"),\n    on=\"id\",\n    how=\"left_semi\",\n)"
            ),
        };
    }
    let _ = writeln!(text, "step_{}.write.mode(\"overwrite\").saveAsTable(\"gold.fact\")", lines * 4 / 7);
    text
}

/// A catalog that knows every table of the job.
pub(crate) struct Catalog;

impl World for Catalog {
    fn table(&self, name: &TableName) -> Option<TableSchema> {
        const ORDERS: &[(&str, DataType)] = &[
            ("id", DataType::BigInt),
            ("customer_id", DataType::BigInt),
            ("product_id", DataType::BigInt),
            ("amount", DataType::Double),
            ("rate", DataType::Double),
            ("status", DataType::String),
            ("channel", DataType::String),
            ("country", DataType::String),
            ("region", DataType::String),
            ("created_at", DataType::String),
            ("day", DataType::String),
        ];
        const CUSTOMERS: &[(&str, DataType)] = &[
            ("customer_id", DataType::BigInt),
            ("name", DataType::String),
            ("segment", DataType::String),
            ("country", DataType::String),
            ("day", DataType::String),
        ];
        const PRODUCTS: &[(&str, DataType)] = &[
            ("product_id", DataType::BigInt),
            ("category", DataType::String),
            ("price", DataType::Double),
            ("updated_at", DataType::Timestamp),
            ("day", DataType::String),
        ];
        let columns = match name.table.split('_').next() {
            Some("orders") => ORDERS,
            Some("customers") => CUSTOMERS,
            _ => PRODUCTS,
        };
        let column = |(name, data_type): &(&str, DataType)| Column {
            name: (*name).to_owned(),
            data_type: data_type.clone(),
            nullable: None,
            comment: None,
            partition_key: false,
        };
        Some(TableSchema { columns: columns.iter().map(column).collect(), provenance: Provenance::Catalog })
    }
}
