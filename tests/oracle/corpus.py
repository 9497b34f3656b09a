"""Real scripts as programs, and a Spark that gives them the inputs that the analyzer infers.

A folder of scripts holds `index.json`, a list of objects whose `file` is a script's path in it. The scripts that import
nothing but PySpark, awsglue and the standard library can run. Their inputs are tables of the columns that the analyzer
has seen asked of them, a text where it knows no type, and of one more where there may be more.
"""

import ast
import functools
import json
import re
import sys
import time
from pathlib import Path

import pyspark
from pyspark.sql import DataFrameReader, SparkSession

import awsglue.context
from awsglue.dynamicframe import DynamicFrame
from programs import ARGUMENT
from writes import plain, same_dataset, without_catalog

DECOY = ["decoy", "string", False]
REACHES_OUT = {"subprocess", "shutil", "socket", "urllib", "http", "ftplib", "smtplib", "multiprocessing"}


def programs(folder):
    """Those scripts of the folder that can run here."""
    index = json.loads((Path(folder) / "index.json").read_text(encoding="utf-8"))
    files = [entry["file"] for entry in index if entry["file"].endswith(".py")]
    texts = {file: (Path(folder) / file).read_text(encoding="utf-8", errors="replace") for file in files}
    return [
        {"id": file, "script": text, "tables": {}, "paths": {}, "arguments": ARGUMENT}
        for file, text in texts.items()
        if _runs(text)
    ]


def _runs(text):
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except SyntaxError:
        return False
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)}
    roots = {module.split(".")[0] for module in modules}
    return roots <= {"pyspark", "awsglue", *sys.stdlib_module_names} - REACHES_OUT


def with_inputs(program, facts):
    """The program with the columns of each input that `facts` know of, and where each is kept in Spark."""
    declared = program["tables"]
    program = {**program, "tables": dict(declared), "paths": {}}
    program["kept"] = {name: {"name": name, "columns": columns} for name, columns in declared.items()}
    for number, known in enumerate(facts["inputs"]):
        if known["name"] in declared:
            continue
        columns = {name.lower(): [name, _storable(kind), False] for name, kind in known["columns"]}
        columns = [*columns.values(), *([] if known["complete"] else [DECOY])]
        if known["kind"] == "catalog" and "." in known["name"]:
            program["tables"][known["name"]] = columns
        elif known["path"]:
            program["paths"][known["path"]] = columns
        named = known["kind"] == "catalog" and re.fullmatch(r"[a-z]\w*\.[a-z]\w*", known["name"])
        kept = known["name"] if named else f"inputs.input_{number}"
        program["kept"][kept] = {"name": known["name"], "columns": columns}
    return program


def _storable(kind):
    """A type for a column of that type: what is not known is text."""
    return "string" if "unknown" in kind else kind


class Missing(LookupError):
    """The script reads what the analyzer has not named as an input."""


class Reads:
    """The inputs of the program that runs, in place of what is not here."""

    def __init__(self, spark):
        self.spark = spark
        self.kept = {}
        self.unread = set()

    def hold(self, program):
        self.kept = {plain(entry["name"]): kept for kept, entry in program.get("kept", {}).items()}
        self.unread = set(program.get("paths", {}))

    def named(self, *names):
        """The frame of the first name that is an input, which is then read."""
        for name in names:
            if plain(name) in self.kept:
                self.unread = {path for path in self.unread if not same_dataset(path, name)}
                return self.spark.sql(f"SELECT * FROM {self.kept[plain(name)]}")
        raise Missing(f"no input is said to be {names[0]}")

    def install(self):
        """Puts itself in the place of readers, and of what would end the session."""
        table, reader_table, option, form = SparkSession.table, DataFrameReader.table, DataFrameReader.option, DataFrameReader.format

        def view(name):
            return "." not in str(name)

        def given(reader):
            return reader.__dict__.setdefault("given", {})

        def remember(reader, key, value):
            given(reader)[key.lower()] = str(value)
            return option(reader, key, value)

        def remember_all(reader, **named):
            for key, value in named.items():
                remember(reader, key, value)
            return reader

        def read(reader, path=None, *further, **named):
            options = {**given(reader), **{key.lower(): str(value) for key, value in named.items()}}
            path = path or options.get("path") or options.get("dbtable") or options.get("query") or ""
            paths = path if isinstance(path, list) else [path, *(other for other in further if isinstance(other, str))]
            frames = [self.named(str(path), f"{options.get('url')}.{path}") for path in paths]
            return functools.reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), frames)

        DataFrameReader.option, DataFrameReader.options = remember, remember_all
        for method in ("load", "parquet", "json", "csv", "orc", "text"):
            setattr(DataFrameReader, method, read)
        DataFrameReader.jdbc = lambda reader, url, table, *_, **__: self.named(f"{url}.{table}")
        DataFrameReader.format = lambda reader, source: form(reader, "parquet")
        DataFrameReader.table = lambda reader, name: reader_table(reader, name) if view(name) else self.named(*_spellings(name))
        SparkSession.table = lambda spark, name: table(spark, name) if view(name) else self.named(*_spellings(name))

        def from_catalog(_, database=None, table_name=None, *__, name_space=None, push_down_predicate="", **___):
            frame = self.named(f"{database or name_space}.{table_name}")
            return DynamicFrame(frame.where(push_down_predicate) if push_down_predicate else frame, None, table_name)

        def from_options(_, connection_type="", connection_options=None, *__, **___):
            options = connection_options or {}
            paths = options.get("paths") or [options.get("path") or options.get("dbtable") or ""]
            names = [str(paths[0]), f"{options.get('connectionName') or options.get('url')}.{options.get('dbtable')}"]
            return DynamicFrame(self.named(*names, f"dynamodb:{options.get('dynamodb.input.tableName')}"))

        awsglue.context.GlueContext.purge_s3_path = lambda *_, **__: None
        awsglue.context.GlueContext.create_dynamic_frame_from_catalog = from_catalog
        awsglue.context.GlueContext.create_dynamic_frame_from_options = from_options

        context = self.spark.sparkContext
        pyspark.SparkContext.__new__ = lambda *_, **__: context
        pyspark.SparkContext.__init__ = lambda *_, **__: None
        pyspark.SparkContext.stop = lambda _: None
        SparkSession.stop = lambda spark: None
        time.sleep = lambda seconds: None


def _spellings(name):
    """What a table may be said to be, as the script spells it."""
    return [without_catalog(name), str(name)]
