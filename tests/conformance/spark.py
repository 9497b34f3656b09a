"""Asks Spark the questions of a request: with ANSI mode off and on, in two time zones. xtask/src/conformance/engines.rs
states the protocol."""

import datetime
import decimal
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "spark"))

import pyspark  # noqa: E402
import questions  # noqa: E402
import session  # noqa: E402

# One zone is UTC and one is neither a whole number of hours away nor without summer time.
SETTINGS = {
    "spark": ("false", "UTC"),
    "spark-ansi": ("true", "UTC"),
    "spark-adelaide": ("false", "Australia/Adelaide"),
    "spark-ansi-adelaide": ("true", "Australia/Adelaide"),
}
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def cell(value):
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return {"double": repr(value)}
    if isinstance(value, decimal.Decimal):
        return {"decimal": format(value, "f")}
    if isinstance(value, datetime.datetime):
        # What Spark hands to Python is in the zone of the process, which is UTC.
        return {"timestamp": (value.replace(tzinfo=datetime.timezone.utc) - EPOCH) // datetime.timedelta(microseconds=1)}
    if isinstance(value, datetime.date):
        return {"date": (value - EPOCH.date()).days}
    return str(value)


def asked(spark, sql):
    try:
        return {"rows": [[cell(value) for value in row] for row in spark.sql(sql).collect()]}
    except Exception as error:  # Whatever Spark says is its answer.
        lines = [line for line in str(error).split("\n") if line.strip() and not line.startswith("An error occurred")]
        causes = [line for line in lines if line.startswith("Caused by")]
        return {"error": (causes or lines or [type(error).__name__])[-1 if causes else 0]}


def main(request, answers):
    request = questions.read(request)
    spark = session.start(tempfile.mkdtemp(dir=request["folder"]))
    database = request["database"]
    spark.sql(f"CREATE DATABASE {database}")
    for table in request["tables"]:
        columns = ", ".join(f"`{column['name']}` {column['type']}" for column in table["columns"])
        place = f"{request['folder']}/lake/{database}/{table['name']}"
        spark.sql(f"CREATE TABLE {database}.`{table['name']}` ({columns}) USING parquet LOCATION '{place}'")
    engines = {}
    for name, (ansi, zone) in SETTINGS.items():
        spark.conf.set("spark.sql.ansi.enabled", ansi)
        spark.conf.set("spark.sql.session.timeZone", zone)
        found = questions.answered(request["questions"], lambda sql: asked(spark, sql))
        engines[name] = {"version": pyspark.__version__, "answers": found}
    spark.stop()
    questions.write(answers, engines)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
