"""The Glue catalog, read from a folder of `GetTable` answers, as the tables of a Spark session.

The environment variable GLUE_CATALOG names the folder, whose files are `<database>.<table>.json`. GLUE_BUCKETS names
the folder that stands for S3: the objects of `s3://<bucket>/` are the files under `<bucket>/`.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Table:
    """A table: its name, where its files lie, their format, and its columns in order as Spark DDL."""

    database: str
    name: str
    location: str
    format: str
    columns: str
    partition_keys: list[str]


def table(database: str, name: str) -> Table:
    """The table of that name."""
    path = Path(os.environ["GLUE_CATALOG"]) / f"{database}.{name}.json"
    if not path.exists():
        raise LookupError(f"EntityNotFoundException: table {database}.{name}: there is no {path}")
    answer = json.loads(path.read_text())
    answer = answer.get("Table", answer)
    storage, keys = answer["StorageDescriptor"], answer.get("PartitionKeys") or []
    return Table(
        database,
        name,
        storage["Location"],
        _format(storage),
        ", ".join(f"`{column['Name']}` {column['Type']}" for column in storage["Columns"] + keys),
        [key["Name"] for key in keys],
    )


def register(spark: SparkSession) -> None:
    """Makes every table known to the session by its name, as Glue's catalog is to a job."""
    for path in sorted(Path(os.environ["GLUE_CATALOG"]).glob("*.*.json")):
        found = table(*path.stem.split(".", 1))
        partitions = f"PARTITIONED BY ({', '.join(found.partition_keys)})" if found.partition_keys else ""
        options = "OPTIONS (header 'true')" if found.format == "csv" else ""
        spark.sql(f"CREATE DATABASE IF NOT EXISTS {found.database}")
        spark.sql(
            f"CREATE TABLE IF NOT EXISTS {found.database}.{found.name} ({found.columns})"
            f" USING {found.format} {options} {partitions} LOCATION '{found.location}'"
        )
        if found.partition_keys:
            spark.catalog.recoverPartitions(f"{found.database}.{found.name}")


def _format(storage: dict) -> str:
    """The format that the SerDe's class names, or else the name of the table's first file."""
    library = (storage.get("SerdeInfo") or {}).get("SerializationLibrary", "").lower()
    folder = Path(os.environ["GLUE_BUCKETS"]) / storage["Location"].removeprefix("s3://")
    files = sorted(path.name.lower() for path in folder.rglob("*") if path.is_file() and path.name[0] not in "._")
    words = [library, *files[:1]]
    return next((format for word in words for format in ("parquet", "json", "csv") if format in word), "parquet")
