"""DynamicFrame over a DataFrame. Choice types do not occur: a DataFrame's column has one type."""

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

# Glue's names of types where Spark's differ.
SPARK_TYPES = {"long": "bigint", "short": "smallint", "byte": "tinyint"}


class DynamicFrame:
    """A frame of records."""

    def __init__(self, data: DataFrame, glue_ctx=None, name: str = ""):
        self._data = data
        self.glue_ctx = glue_ctx
        self.name = name

    @classmethod
    def fromDF(cls, dataframe: DataFrame, glue_ctx, name: str = "") -> "DynamicFrame":
        return cls(dataframe, glue_ctx, name)

    def toDF(self, options=None) -> DataFrame:
        return self._data

    def count(self) -> int:
        return self._data.count()

    def schema(self) -> T.StructType:
        return self._data.schema

    def printSchema(self) -> None:
        self._data.printSchema()

    def show(self, num_rows: int = 20) -> None:
        for record in self._data.limit(num_rows).toJSON().collect():
            print(record)

    def errorsCount(self) -> int:
        return 0

    def apply_mapping(self, mappings, **_) -> "DynamicFrame":
        """Selects, renames and casts by `(source, source type, target, target type)`; a dot means a nested field, if no
        backtick stands before the name.

        A source that the frame does not have yields no column, as in Glue.
        """
        columns = {}
        for source, _source_type, target, target_type in mappings:
            name = source.strip("`")
            if name not in self._data.columns and name.split(".")[0] not in self._data.columns:
                continue
            column = F.col(f"`{name}`" if name in self._data.columns else name)
            if target_type not in ("struct", "array", "map"):
                column = column.cast(SPARK_TYPES.get(target_type, target_type))
            outer, dot, inner = (target.strip("`"), "", "") if target.startswith("`") else target.partition(".")
            if dot:
                columns.setdefault((outer,), []).append(column.alias(inner))
            else:
                columns[outer, len(columns)] = column
        made = [(name[0], F.struct(*found) if isinstance(found, list) else found) for name, found in columns.items()]
        return self._with(self._data.select(*(column.alias(name) for name, column in made)))

    def filter(self, f, **_) -> "DynamicFrame":
        holds = F.udf(lambda row: bool(f(row.asDict(True))), "boolean")
        return self._with(self._data.where(holds(F.struct(*(F.col(f"`{name}`") for name in self._data.columns)))))

    def map(self, f, **_) -> "DynamicFrame":
        rows = self._data.rdd.map(lambda row: Row(**f(row.asDict(True))))
        return self._with(_session(self._data).createDataFrame(rows))

    def select_fields(self, paths, **_) -> "DynamicFrame":
        return self._with(self._data.select(*(path for path in paths if path in self._data.columns)))

    def drop_fields(self, paths, **_) -> "DynamicFrame":
        return self._with(self._data.drop(*paths))

    def rename_field(self, oldName, newName, **_) -> "DynamicFrame":
        return self._with(self._data.withColumnRenamed(oldName.strip("`"), newName.strip("`")))

    def drop_null_fields(self) -> "DynamicFrame":
        nulls = [field.name for field in self._data.schema if isinstance(field.dataType, T.NullType)]
        return self._with(self._data.drop(*nulls))

    def resolveChoice(self, specs=None, choice="", **_) -> "DynamicFrame":
        """Casts the columns of `(column, "cast:TYPE")`; other actions have nothing to do where there is no choice."""
        data = self._data
        for name, action in specs or []:
            kind, _colon, target = action.partition(":")
            if kind == "cast" and name in data.columns:
                data = data.withColumn(name, F.col(f"`{name}`").cast(SPARK_TYPES.get(target, target)))
            elif kind not in ("cast", "make_cols", "make_struct", "project"):
                raise ValueError(f"resolveChoice: unknown action {action}")
        return self._with(data)

    def join(self, paths1, paths2, frame2: "DynamicFrame", **_) -> "DynamicFrame":
        """An inner join on equal keys that keeps both; a field of `frame2` that clashes gets a dot before its name."""
        right = frame2._data
        for name in right.columns:
            if any(name.lower() == other.lower() and name != other for other in self._data.columns):
                raise ValueError(f"join: both frames have a field {name}, and they differ in case only: not known here")
        renamed = right.select(*(F.col(f"`{c}`").alias(f".{c}" if c in self._data.columns else c) for c in right.columns))
        on = [
            self._data[f"`{left}`"] == renamed[f"`.{key}`" if key in self._data.columns else f"`{key}`"]
            for left, key in zip(paths1, paths2, strict=True)
        ]
        return self._with(self._data.join(renamed, on))

    def union(self, frame2: "DynamicFrame", **_) -> "DynamicFrame":
        return self._with(self._data.unionByName(frame2._data, allowMissingColumns=True))

    def repartition(self, num_partitions, **_) -> "DynamicFrame":
        return self._with(self._data.repartition(num_partitions))

    def coalesce(self, num_partitions, **_) -> "DynamicFrame":
        return self._with(self._data.coalesce(num_partitions))

    def _with(self, data: DataFrame) -> "DynamicFrame":
        return DynamicFrame(data, self.glue_ctx, self.name)


class DynamicFrameCollection(dict):
    """Frames by name."""

    def __init__(self, dynamic_frames, glue_ctx=None):
        super().__init__(dynamic_frames)

    def select(self, key) -> DynamicFrame:
        return self[key]


def _session(data: DataFrame) -> SparkSession:
    return data.sparkSession
