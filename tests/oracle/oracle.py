"""Asks Spark whether what the analyzer says of programs is true.

oracle.py KIND COUNT INTERFACE REPORT: KIND is spec, generated or mutants; INTERFACE is the example of the analyzer that
prints facts; REPORT is written as JSON. Each program runs on rows made to contradict: few values, many of them equal or
NULL, and no more than the tables' declared keys promise. Nothing is written: a write is taken down and its frame looked at.
"""

import collections
import contextlib
import io
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import types
from pathlib import Path

HERE = Path(__file__).parent
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
sys.path[:0] = [str(HERE), str(HERE.parent / "spark"), str(HERE.parent / "awsglue_shim")]

import lineage  # noqa: E402
import programs  # noqa: E402
import pyspark  # noqa: E402
import session  # noqa: E402
from py4j.protocol import Py4JJavaError  # noqa: E402
from pyspark.errors import PythonException  # noqa: E402
from pyspark.sql import DataFrameWriter  # noqa: E402

import awsglue.context as context  # noqa: E402
import awsglue.utils as utils  # noqa: E402
from awsglue.context import GlueContext  # noqa: E402
from awsglue.job import Job  # noqa: E402

ROWS = 40
DOMAINS = {
    "bigint": ["1", "2", "3", "NULL"],
    "int": ["1", "2", "NULL"],
    "double": ["1.5D", "2.0D", "double('NaN')", "NULL"],
    "string": ["'a'", "'b'", "'A'", "''", "'1'", "'01'", "NULL"],
    "date": ["DATE'2026-01-01'", "DATE'2026-01-02'", "NULL"],
    "timestamp": ["TIMESTAMP'2026-01-01 00:00:00'", "TIMESTAMP'2026-01-02 00:00:00'", "NULL"],
    "boolean": ["true", "false", "NULL"],
}


class Writes:
    """What a program writes, in order, instead of writing it."""

    def __init__(self):
        self.found = []

    def take(self, frame, name):
        self.found.append((str(name), frame))

    def install(self):
        for method in ("save", "saveAsTable", "insertInto", "parquet", "json", "csv", "orc", "text"):
            def write(writer, name="", *_, **named):
                self.take(writer._df, name or named.get("path") or named.get("name") or named.get("tableName", ""))
            setattr(DataFrameWriter, method, write)

        def options(_, frame, connection_type="", connection_options=None, **named):
            self.take(frame.toDF(), (connection_options or {}).get("path", ""))
        def catalog(_, frame, database="", table_name="", **named):
            self.take(frame.toDF(), f"{named.get('name_space', database)}.{table_name}")

        context.catalog = types.SimpleNamespace(register=lambda spark: None)
        utils.getResolvedOptions = lambda _, names: {name: "value" for name in ["JOB_NAME", *names]}
        context.GlueContext.write_dynamic_frame_from_options = options
        context.GlueContext.write_dynamic_frame_from_catalog = catalog


def literal(kind, chance):
    if kind in DOMAINS:
        return f"cast({chance.choice(DOMAINS[kind])} AS {kind})"
    if kind.startswith("decimal"):
        return f"cast({chance.choice(['1.10', '2.20', 'NULL'])} AS {kind})"
    return f"cast(NULL AS {kind})"


class Lake:
    """The tables of one program; those of the last program are kept where they are the same."""

    def __init__(self, spark):
        self.spark = spark
        self.made = {}

    def hold(self, tables):
        for name in [name for name in self.made if self.made[name] != tables.get(name)]:
            self.spark.sql(f"DROP TABLE IF EXISTS {name}")
            del self.made[name]
        for name, columns in tables.items():
            if name in self.made:
                continue
            chance = random.Random(name)
            self.spark.sql(f"CREATE DATABASE IF NOT EXISTS {name.split('.')[0]}")
            listed = ", ".join(f"`{column}` {kind}" for column, kind, _ in columns)
            self.spark.sql(f"CREATE TABLE {name} ({listed}) USING parquet")
            rows = []
            for number in range(ROWS):
                cells = [
                    f"cast({number + 1} AS {kind})" if key else literal(kind, chance)
                    for _, kind, key in columns
                ]
                rows.append(f"({', '.join(cells)})")
            keyed = [place for place, column in enumerate(columns) if column[2]]
            if keyed and any(columns[place][1] not in ("bigint", "int", "string", "double") for place in keyed):
                rows = rows[:1]
            self.spark.sql(f"INSERT INTO {name} VALUES {', '.join(rows)}")
            self.made[name] = columns


def run(spark, writes, program):
    """The frames that a program writes, and what it raises."""
    writes.found = []
    sys.argv = ["job.py", "--JOB_NAME", "job"]
    scope = {"__name__": "__main__", "spark": spark, "sc": spark.sparkContext}
    scope |= {"glueContext": GlueContext(spark.sparkContext), "job": Job(None)}
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            exec(compile(program["script"], "job.py", "exec"), scope)
    except BaseException as error:  # Whatever a script raises is what it does.
        lines = str(error).strip().splitlines() or [""]
        return list(writes.found), f"{type(error).__name__}: {lines[0]}"
    return list(writes.found), None


def comparable(value):
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, float) and value == 0:
        return 0.0
    return str(value) if isinstance(value, (list, dict)) else value


def differences(said, name, frame):
    """Facts of one write that Spark contradicts, and how many it bears out or the analyzer leaves open."""
    found, agree, unknown = [], 0, 0
    columns = said["columns"]
    spark_columns = [(field.name, field.dataType.simpleString()) for field in frame.schema.fields]
    if columns is None:
        return found, 0, 1
    if len({name.lower() for name, _ in spark_columns}) < len(spark_columns):
        # A write of two columns of one name fails, so nobody relies on what is said of it.
        return found, 0, 1
    names = [column["name"] for column in columns]
    if said["complete"] and [n.lower() for n in names] != [n.lower() for n, _ in spark_columns]:
        found.append(f"columns are {[n for n, _ in spark_columns]}, said to be {names}")
        return found, agree, unknown
    agree += said["complete"]
    unknown += not said["complete"]
    traced = lineage.Plan(frame).sources() if said["complete"] else []
    types_by_name = {n.lower(): kind for n, kind in spark_columns}
    for place, column in enumerate(columns):
        kind = types_by_name.get(column["name"].lower())
        if kind is None:
            found.append(f"there is no column {column['name']}")
            continue
        if column["type"] == "unknown" or "unknown" in column["type"]:
            unknown += 1
        elif column["type"] != (spark_columns[place][1] if said["complete"] else kind):
            found.append(f"{column['name']} is {kind}, said to be {column['type']}")
        else:
            agree += 1
        if column["sources"] is None:
            unknown += 1
        elif traced:
            sources = sorted({(table, name) for table, name in column["sources"]})
            if [list(s) for s in sources] != [list(s) for s in traced[place]]:
                found.append(f"{column['name']} is computed from {traced[place]}, said to be from {sources}")
            else:
                agree += 1
    try:
        rows = [tuple(comparable(value) for value in row) for row in frame.limit(5000).collect()]
    except PythonException:
        # A Python function of the program fails on the rows that were made up; what Spark plans has been compared.
        return found, agree, unknown + 1
    place_of = {n.lower(): place for place, (n, _) in enumerate(spark_columns)}
    for column in columns:
        if column["nullable"] is False and column["name"].lower() in place_of:
            if any(row[place_of[column["name"].lower()]] is None for row in rows):
                found.append(f"{column['name']} is NULL in a row, said to be never")
            else:
                agree += 1
    grain = said["grain"]
    if grain["certainty"] == "proved" and all(name.lower() in place_of for name in grain["columns"]):
        places = [place_of[name.lower()] for name in grain["columns"]]
        counted = collections.Counter(tuple(row[place] for place in places) for row in rows)
        twice = [key for key, count in counted.items() if count > 1]
        if twice:
            found.append(f"grain {grain['columns']} is said to be proved ({grain['reason']}), and {twice[0]} stands in several rows")
        else:
            agree += 1
    elif grain["certainty"] == "unknown":
        unknown += 1
    return found, agree, unknown


def judged(spark, writes, lake, program, facts):
    """`{"id", "verdict": agree|differ|unknown|not run, "why", "facts", "open"}`."""
    result = {"id": program["id"], "verdict": "agree", "why": [], "facts": 0, "open": 0}
    lake.hold(program["tables"])
    for view in spark.catalog.listTables():
        if view.isTemporary:
            spark.catalog.dropTempView(view.name)
    written, raised = run(spark, writes, program)
    result["raised"] = raised
    refused = raised is not None and ("AnalysisException" in raised or "ParseException" in raised or "UNRESOLVED" in raised)
    if raised and ("TABLE_OR_VIEW_NOT_FOUND" in raised or not refused):
        return {**result, "verdict": "not run", "why": [raised]}
    if refused:
        if facts["errors"] or facts["warnings"]:
            return {**result, "facts": 1}
        return {**result, "verdict": "unknown", "open": 1, "why": [f"Spark refuses it, the analyzer is silent: {raised}"]}
    if facts["errors"]:
        return {**result, "verdict": "differ", "why": [f"Spark runs it, the analyzer says {facts['errors']}"]}
    if len(written) != len(facts["outputs"]):
        return {**result, "verdict": "not run", "why": [f"{len(written)} writes, {len(facts['outputs'])} are said"]}
    for (name, frame), said in zip(written, facts["outputs"]):
        try:
            found, agree, unknown = differences(said, name, frame)
        except Py4JJavaError as error:  # Spark may fail on the rows only.
            return {**result, "verdict": "not run", "why": [f"its rows: {error.java_exception.getMessage()}"[:200]]}
        result["facts"] += agree
        result["open"] += unknown
        result["why"] += [f"{said['name']}: {text}" for text in found]
    if result["why"]:
        result["verdict"] = "differ"
    elif result["open"] and not result["facts"]:
        result["verdict"] = "unknown"
    return result


def main(kind, count, interface, report):
    asked = programs.spec() if kind == "spec" else getattr(programs, kind)(int(count))
    said = subprocess.run([interface], input=json.dumps(asked), capture_output=True, text=True, check=True)
    facts = json.loads(said.stdout)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        spark = session.start(folder)
        writes = Writes()
        lake = Lake(spark)
        writes.install()
        results = []
        for number, (program, known) in enumerate(zip(asked, facts)):
            results.append(judged(spark, writes, lake, program, known))
            if sys.stderr.isatty() and number % 50 == 0:
                print(f"\r{number} of {len(asked)}", end="", file=sys.stderr)
        spark.stop()
    Path(report).write_text(json.dumps({"spark": pyspark.__version__, "programs": results}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
