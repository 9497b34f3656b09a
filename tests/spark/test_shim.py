"""The stand-in for awsglue does to frames what Glue's documentation says."""

import csv
import json
from pathlib import Path

import glue_job

SCRIPT = '''
import sys

from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.job import Job
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

args = getResolvedOptions(sys.argv, ["JOB_NAME", "target"])
glue = GlueContext(SparkContext.getOrCreate())
spark = glue.spark_session
job = Job(glue)
job.init(args["JOB_NAME"], args)

loans = glue.create_dynamic_frame.from_catalog(database="raw", table_name="loans", push_down_predicate="day > '2026-01-01'")
names = glue.create_dynamic_frame.from_options("s3", {"paths": ["s3://lake/names/"]}, format="csv", format_options={"withHeader": True})
mapped = ApplyMapping.apply(frame=loans, mappings=[
    ("id", "string", "loan_id", "string"),
    ("amount", "string", "amount", "double"),
    ("absent", "string", "absent", "string"),
    ("day", "string", "day", "string"),
    ("person", "string", "id", "string"),
])
positive = Filter.apply(frame=mapped, f=lambda record: record["amount"] > 0)
joined = Join.apply(positive, names, "id", "id")
joined.printSchema()
target = DynamicFrame.fromDF(joined.drop_fields([".id"]).toDF(), glue, "target")
glue.write_dynamic_frame.from_options(
    frame=target, connection_type="s3", connection_options={"path": args["target"], "partitionKeys": ["day"]}, format="json"
)
job.commit()
'''


def test_a_script_reads_maps_filters_joins_and_writes_partitions(tmp_path: Path):
    catalog, buckets = tmp_path / "catalog", tmp_path / "buckets"
    write_csv(buckets / "lake/names/names.csv", [("id", "name"), ("p1", "Ada"), ("p2", "Bo")])
    write_csv(
        buckets / "raw/loans/loans.csv",
        [
            ("id", "amount", "person", "day"),
            ("l1", "10.5", "p1", "2026-01-02"),
            ("l2", "-1", "p1", "2026-01-02"),
            ("l3", "7", "p2", "2026-01-01"),
            ("l4", "7", "p2", "2026-01-03"),
        ],
    )
    columns = [{"Name": name, "Type": "string"} for name in ("id", "amount", "person", "day")]
    storage = {"Columns": columns, "Location": "s3://raw/loans/"}
    catalog.mkdir()
    (catalog / "raw.loans.json").write_text(json.dumps({"Table": {"Name": "loans", "StorageDescriptor": storage}}))
    script = tmp_path / "job.py"
    script.write_text(SCRIPT)

    printed = glue_job.run(script, {"JOB_NAME": "job", "target": "s3://lake/target/"}, catalog, buckets)

    assert "|-- .id: string" in printed, "the clashing key of the right side has a dot"
    written = {
        path.parent.name: [json.loads(line) for line in path.read_text().splitlines()]
        for path in (buckets / "lake/target").glob("day=*/*.json")
    }
    assert written == {
        "day=2026-01-02": [{"loan_id": "l1", "amount": 10.5, "id": "p1", "name": "Ada"}],
        "day=2026-01-03": [{"loan_id": "l4", "amount": 7.0, "id": "p2", "name": "Bo"}],
    }


def write_csv(path: Path, rows: list[tuple[str, ...]]) -> None:
    path.parent.mkdir(parents=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
