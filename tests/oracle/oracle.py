"""Asks Spark whether what the analyzer says of programs is true.

oracle.py KIND COUNT INTERFACE REPORT: KIND is spec, generated, mutants or corpus, for which COUNT is the folder of scripts;
INTERFACE is the example of the analyzer that prints facts; REPORT is written as JSON. Each program runs on rows made to contradict: few values, many of them equal or
NULL, and no more than the tables' declared keys promise. Nothing is written: a write is taken down and its frame looked at.
"""

import collections
import contextlib
import fcntl
import io
import json
import math
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
for name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[name]
sys.path[:0] = [str(HERE), str(HERE.parent / "spark"), str(HERE.parent / "awsglue_shim")]

import corpus  # noqa: E402
import lineage  # noqa: E402
import programs  # noqa: E402
import pyspark  # noqa: E402
import session  # noqa: E402
from py4j.protocol import Py4JJavaError  # noqa: E402
from pyspark.errors import AnalysisException, ParseException, PythonException  # noqa: E402
from writes import Writes, paired  # noqa: E402

import awsglue.catalog  # noqa: E402
import awsglue.context  # noqa: E402
import awsglue.utils  # noqa: E402
from awsglue.context import GlueContext  # noqa: E402
from awsglue.job import Job  # noqa: E402

SECONDS = 120  # for one program
ABOUT_COLUMNS = "UNRESOLVED_COLUMN|AMBIGUOUS|MISSING_AGGREGATION|MISSING_GROUP_BY|NUM_COLUMNS_MISMATCH"

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
    prefix = program.get("arguments")
    awsglue.utils.getResolvedOptions = lambda _, names: {
        name: "value" if prefix is None else prefix + name.lower() for name in ["JOB_NAME", *names]
    }
    scope = {"__name__": "__main__", "spark": spark, "sc": spark.sparkContext}
    scope |= {"glueContext": GlueContext(spark.sparkContext), "job": Job(None)}
    signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            exec(compile(program["script"], "job.py", "exec"), scope)
    except SystemExit as end:
        return list(writes.found), f"SystemExit: {end.code}" if end.code else None
    except BaseException as error:  # Whatever a script raises is what it does.
        lines = str(error).strip().splitlines() or [""]
        return list(writes.found), f"{type(error).__name__}: {lines[0]}"
    finally:
        signal.alarm(0)
        forget_catalogs(spark)
    return list(writes.found), None


def forget_catalogs(spark):
    """Takes back the catalogs that a program has set up, whose classes are not here."""
    settings = spark._jsparkSession.conf().getAll().iterator()
    keys = []
    while settings.hasNext():
        keys.append(settings.next()._1())
    for key in keys:
        if key.startswith("spark.sql.catalog.") or key == "spark.sql.defaultCatalog":
            spark.conf.unset(key)
    spark.catalog.setCurrentCatalog("spark_catalog")


def too_slow(*_):
    raise TimeoutError(f"it takes longer than {SECONDS} s")


def comparable(value):
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, float) and value == 0:
        return 0.0
    return str(value) if isinstance(value, (list, dict)) else value


def refused_joins(frame, joins):
    """Joins of a frame that are not among those said, and how many are."""
    said = [(join["how"], set(zip(join["left"], join["right"]))) for join in joins]
    found, agree = [], 0
    for how, pairs in lineage.Plan(frame).joins():
        pairs = {(left.lower(), right.lower()) for left, right in pairs}
        if any(how == other and pairs <= {(a.lower(), b.lower()) for a, b in keys} for other, keys in said):
            agree += 1
        else:
            listed = ", ".join(f"{left} = {right}" for left, right in sorted(pairs))
            found.append(f"{how} join on {listed} is not said; said are {said}")
    return found, agree


def differences(said, frame, names_of, unread):
    """Facts of one write that Spark contradicts, and how many it bears out or the analyzer leaves open.

    `unread` are inputs of arms that this run has not taken.
    """
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
    traced = [
        bases if bases is None else sorted((names_of.get(table, table), name) for table, name in bases)
        for bases in traced
    ]
    types_by_name = {n.lower(): kind for n, kind in spark_columns}
    for place, column in enumerate(columns):
        kind = types_by_name.get(column["name"].lower())
        if kind is None:
            # What only some runs write, this one may not.
            if column["always"]:
                found.append(f"there is no column {column['name']}")
            continue
        if column["type"] == "unknown" or "unknown" in column["type"]:
            unknown += 1
        elif column["type"] != (spark_columns[place][1] if said["complete"] else kind):
            found.append(f"{column['name']} is {kind}, said to be {column['type']}")
        else:
            agree += 1
        if column["sources"] is None or (traced and traced[place] is None):
            unknown += 1
        elif traced:
            sources = sorted({(table, name) for table, name in column["sources"] if table not in unread})
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


def judged(spark, writes, reads, lake, program, facts):
    """`{"id", "verdict": agree|differ|unknown|not run, "why", "facts", "open"}`."""
    result = {"id": program["id"], "verdict": "agree", "why": [], "facts": 0, "open": 0}
    kept = program.get("kept")
    try:
        lake.hold(program["tables"] if kept is None else {name: entry["columns"] for name, entry in kept.items()})
    except (AnalysisException, ParseException) as error:
        return {**result, "verdict": "not run", "why": [f"its tables: {error}"[:200]]}
    for view in spark.catalog.listTables():
        if view.isTemporary:
            spark.catalog.dropTempView(view.name)
    written, raised = run(spark, writes, program)
    result["raised"] = raised
    refused = raised is not None and ("AnalysisException" in raised or "ParseException" in raised or "UNRESOLVED" in raised)
    if refused:
        named = re.search(r"`([^`]+)`", raised)
        told = facts["errors"] + (facts["warnings"] if "DATATYPE_MISMATCH" in raised else [])
        if any(not named or named[1].split(".")[-1] in error for error in told):
            return {**result, "facts": 1}
    # A script may be refused for the types that were made up for its inputs, and for stores that are not here.
    made_up = "kept" in program and not re.search(ABOUT_COLUMNS, str(raised))
    if raised and ("TABLE_OR_VIEW_NOT_FOUND" in raised or not refused or made_up):
        return {**result, "verdict": "not run", "why": [raised]}
    if refused:
        return {**result, "verdict": "unknown", "open": 1, "why": [f"Spark refuses it, the analyzer is silent: {raised}"]}
    if facts["errors"]:
        return {**result, "verdict": "differ", "why": [f"Spark runs it, the analyzer says {facts['errors']}"]}
    pairs, unsaid = paired(written, facts["outputs"])
    if unsaid and not any("<?>" in said["name"] for said in facts["outputs"]):
        result["why"] += [f"{name} is written, which is not said" for name in unsaid]
    if not pairs and not unsaid:
        return {**result, "verdict": "not run", "why": ["it writes nothing that is taken down"]}
    names_of = {kept: entry["name"] for kept, entry in program.get("kept", {}).items()}
    for _, frame, said in pairs:
        try:
            found, agree, unknown = differences(said, frame, names_of, reads.unread)
            joins, joined = refused_joins(frame, facts["joins"])
        except Py4JJavaError as error:  # Spark may fail on the rows only.
            return {**result, "verdict": "not run", "why": [f"its rows: {error.java_exception.getMessage()}"[:200]]}
        result["facts"] += agree + joined
        result["open"] += unknown + len(unsaid)
        result["why"] += [f"{said['name']}: {text}" for text in found + joins]
    if result["why"]:
        result["verdict"] = "differ"
    elif result["open"] and not result["facts"]:
        result["verdict"] = "unknown"
    return result


def told(interface, asked):
    """What the analyzer says of the programs."""
    said = subprocess.run([interface], input=json.dumps(asked), capture_output=True, text=True, check=True)
    return json.loads(said.stdout)


def loopback():
    """Starts the one interface of a network that has no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        fcntl.ioctl(end, 0x8914, struct.pack("16sh22x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


def asked_about(kind, count, interface):
    if kind in ("generated", "mutants"):
        return getattr(programs, kind)(int(count))
    if kind == "corpus":
        loopback()
    asked = corpus.programs(count) if kind == "corpus" else programs.spec()
    return [corpus.with_inputs(program, facts) for program, facts in zip(asked, told(interface, asked))]


def main(kind, count, interface, report):
    asked = asked_about(kind, count, interface)
    facts = told(interface, asked)
    signal.signal(signal.SIGALRM, too_slow)
    awsglue.catalog.register = lambda spark: None
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        spark = session.start(folder)
        writes = Writes()
        lake = Lake(spark)
        writes.install()
        reads = corpus.Reads(spark)
        if kind in ("corpus", "spec"):
            reads.install()
        results = []
        for number, (program, known) in enumerate(zip(asked, facts)):
            reads.hold(program)
            results.append(judged(spark, writes, reads, lake, program, known))
            if sys.stderr.isatty() and number % 50 == 0:
                print(f"\r{number} of {len(asked)}", end="", file=sys.stderr)
        spark.stop()
    Path(report).write_text(json.dumps({"spark": pyspark.__version__, "programs": results}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
