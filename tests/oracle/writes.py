"""What a program writes, taken down instead of written."""

import re
import types

from pyspark.sql import DataFrame, DataFrameWriter

import awsglue.context


class Writes:
    """Frames with the names of the datasets that they would be written to, in order."""

    def __init__(self):
        self.found = []

    def take(self, frame, name):
        self.found.append((str(name), frame))

    def install(self):
        """Puts itself in the place of every writer."""
        self._install_spark()
        self._install_glue()

    def _install_spark(self):
        option = DataFrameWriter.option

        def remember(writer, key, value):
            writer.__dict__.setdefault("given", {})[key.lower()] = str(value)
            return option(writer, key, value)

        def remember_all(writer, **named):
            for key, value in named.items():
                remember(writer, key, value)
            return writer

        def write(writer, name="", *_, **named):
            given = {**getattr(writer, "given", {}), **named}
            path = name or given.get("path") or given.get("name") or given.get("tableName")
            self.take(writer._df, path or f"{given.get('url')}.{given.get('dbtable')}")

        DataFrameWriter.option, DataFrameWriter.options = remember, remember_all
        for method in ("save", "parquet", "json", "csv", "orc", "text"):
            setattr(DataFrameWriter, method, write)
        for method in ("saveAsTable", "insertInto"):
            setattr(DataFrameWriter, method, lambda writer, name, *_, **__: self.take(writer._df, without_catalog(name)))
        DataFrameWriter.jdbc = lambda writer, url, table, *_, **__: self.take(writer._df, f"{url}.{table}")
        DataFrame.writeTo = lambda frame, name: _TableWriter(lambda: self.take(frame, without_catalog(name)))

    def _install_glue(self):
        glue = awsglue.context.GlueContext
        begin = glue.__init__

        def start(context, *given, **named):
            begin(context, *given, **named)
            context.write_dynamic_frame.from_jdbc_conf = jdbc

        def jdbc(frame, catalog_connection="", connection_options=None, **_):
            self.take(frame.toDF(), f"{catalog_connection}.{(connection_options or {}).get('dbtable')}")

        def options(_, frame, connection_type="", connection_options=None, **__):
            given = connection_options or {}
            table = f"{given.get('connectionName') or given.get('url')}.{given.get('dbtable')}"
            self.take(frame.toDF(), given.get("path") or table)

        def catalog(_, frame, database="", table_name="", **named):
            self.take(frame.toDF(), f"{named.get('name_space', database)}.{table_name}")

        def sink(_, connection_type="", path="", **__):
            made = types.SimpleNamespace(name=path, setFormat=lambda *_, **__: None)
            made.setCatalogInfo = lambda catalogDatabase="", catalogTableName="", **_: setattr(
                made, "name", f"{catalogDatabase}.{catalogTableName}"
            )
            made.writeFrame = lambda frame, info="": self.take(frame.toDF(), made.name)
            return made

        glue.__init__, glue.getSink = start, sink
        glue.write_dynamic_frame_from_options, glue.write_dynamic_frame_from_catalog = options, catalog


class _TableWriter:
    """What `DataFrame.writeTo` returns."""

    def __init__(self, take):
        for method in ("using", "option", "options", "tableProperty", "partitionedBy"):
            setattr(self, method, lambda *_, **__: self)
        for method in ("append", "create", "createOrReplace", "replace", "overwrite", "overwritePartitions"):
            setattr(self, method, lambda *_, **__: take())


def paired(written, said):
    """`(name, frame, what is said of it)` of each write that is said, then the names of those that are not."""
    left, pairs, unsaid = list(said), [], []
    for name, frame in written:
        found = next((output for output in left if same_dataset(output["name"], name)), None)
        if found:
            left.remove(found)
            pairs.append((name, frame, found))
        else:
            unsaid.append((name, frame))
    if len(unsaid) == len(left):
        # Names that only Glue or a connection would make whole.
        return pairs + [(name, frame, output) for (name, frame), output in zip(unsaid, left)], []
    return pairs, [name for name, _ in unsaid]


def without_catalog(name):
    """`database.table`, without the catalog that Spark may want before it."""
    return ".".join(str(name).replace("`", "").split(".")[-2:])


def plain(name):
    """A name as it is compared: one scheme for S3, no slash at its end, lower case."""
    return re.sub(r"^s3[an]://", "s3://", str(name)).rstrip("/").lower()


def same_dataset(one, other):
    """Whether two spellings name the same dataset."""
    return plain(one) == plain(other)
