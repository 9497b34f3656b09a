"""GlueContext: reads and writes of the catalog and of paths."""

import logging
from types import SimpleNamespace

from pyspark.sql import SparkSession

from awsglue import catalog
from awsglue.dynamicframe import DynamicFrame


class GlueContext:
    """What a script reads and writes through."""

    def __init__(self, sparkContext, **_):
        self.spark_session = SparkSession.builder.getOrCreate()
        catalog.register(self.spark_session)
        self.create_dynamic_frame = SimpleNamespace(
            from_catalog=self.create_dynamic_frame_from_catalog,
            from_options=self.create_dynamic_frame_from_options,
        )
        self.create_data_frame = SimpleNamespace(
            from_catalog=lambda *args, **named: self.create_dynamic_frame_from_catalog(*args, **named).toDF(),
            from_options=lambda *args, **named: self.create_dynamic_frame_from_options(*args, **named).toDF(),
        )
        self.write_dynamic_frame = SimpleNamespace(
            from_catalog=self.write_dynamic_frame_from_catalog,
            from_options=self.write_dynamic_frame_from_options,
        )
        self.write_data_frame = SimpleNamespace(
            from_catalog=lambda frame, database, table_name, **_: self.write_dynamic_frame_from_catalog(
                DynamicFrame(frame, self), database, table_name
            ),
        )

    def get_logger(self):
        return logging.getLogger("glue")

    def create_dynamic_frame_from_catalog(
        self, database, table_name, redshift_tmp_dir="", transformation_ctx="", push_down_predicate="", **_
    ):
        data = self.spark_session.table(f"{database}.{table_name}")
        if push_down_predicate:
            data = data.where(push_down_predicate)
        return DynamicFrame(data, self, table_name)

    def create_dynamic_frame_from_options(
        self, connection_type, connection_options, format=None, format_options=None, **_
    ):
        _require_s3(connection_type)
        paths = connection_options.get("paths") or [connection_options["path"]]
        header = (format_options or {}).get("withHeader", False)
        options = _csv_options(format, header, (format_options or {}).get("separator", ","))
        return DynamicFrame(self.spark_session.read.format(format).options(**options).load(paths), self)

    def write_dynamic_frame_from_options(
        self, frame, connection_type, connection_options, format="parquet", format_options=None, **_
    ):
        _require_s3(connection_type)
        _append(frame, connection_options["path"], format, connection_options.get("partitionKeys", []))
        return frame

    def write_dynamic_frame_from_catalog(self, frame, database, table_name, **_):
        table = catalog.table(database, table_name)
        _append(frame, table.location, table.format, table.partition_keys)
        return frame

    def getSink(self, connection_type, path=None, partitionKeys=(), **_):
        _require_s3(connection_type)
        return _Sink(path, list(partitionKeys))


class _Sink:
    """What `getSink` returns: set up by calls, then given a frame."""

    def __init__(self, path, partition_keys):
        self._path = path
        self._partition_keys = partition_keys
        self._format = "parquet"

    def setCatalogInfo(self, catalogDatabase, catalogTableName, **_):
        pass

    def setFormat(self, format, **_):
        self._format = format

    def writeFrame(self, dynamic_frame, info=""):
        _append(dynamic_frame, self._path, self._format, self._partition_keys)
        return dynamic_frame


def _append(frame: DynamicFrame, path: str, format: str, partition_keys: list[str]) -> None:
    format = {"glueparquet": "parquet"}.get(format, format)
    writer = frame.toDF().write.mode("append").format(format).options(**_csv_options(format))
    (writer.partitionBy(*partition_keys) if partition_keys else writer).save(path)


def _csv_options(format, header=True, separator=","):
    return {"header": str(header).lower(), "sep": separator} if format == "csv" else {}


def _require_s3(connection_type):
    if connection_type not in ("s3", "file"):
        raise ValueError(f"connection_type {connection_type}: only s3 is known here")
