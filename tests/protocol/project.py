"""A small project: two tables that only the catalog knows, and a script that reads them."""

import json
from pathlib import Path

TABLES = {"loans": ["loan_id", "amount"], "customers": ["customer_id", "name"]}

SCRIPT = """\
import sys
from awsglue.context import GlueContext
from pyspark.context import SparkContext

glue = GlueContext(SparkContext())
data = glue.create_dynamic_frame.from_catalog(database="raw_db", table_name="loans").toDF()
label = "😀 e\u0301 日本"; wrong = data.select("no_such_column")  # 👩‍👩‍👧 kept
people = glue.create_dynamic_frame.from_catalog(database="raw_db", table_name="customers").toDF()
"""


def make(folder: Path) -> Path:
    """Fills a folder; the path of its script."""
    catalog = folder / "lake" / "_catalog"
    catalog.mkdir(parents=True)
    for name, columns in TABLES.items():
        described = [{"Name": column, "Type": "string"} for column in columns]
        table = {"Name": name, "DatabaseName": "raw_db", "StorageDescriptor": {"Columns": described}}
        (catalog / f"raw_db.{name}.json").write_text(json.dumps({"Table": table}))
    (folder / "de-copilot.toml").write_text('[lake]\nroot = "lake"\n')
    script = folder / "jobs" / "job.py"
    script.parent.mkdir()
    script.write_text(SCRIPT)
    return script


def tells_the_unknown_column(message: dict) -> bool:
    """Whether a message tells what only the catalog can: it is asked in the background, and no request waits for it."""
    return message.get("method") == "textDocument/publishDiagnostics" and bool(message["params"]["diagnostics"])


def position(text: str, offset: int, encoding: str = "utf-16") -> dict:
    """The LSP position of a place in a text, given as an index of characters."""
    line = text.count("\n", 0, offset)
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    units = {"utf-8": len(before.encode()), "utf-16": len(before.encode("utf-16-le")) // 2}
    return {"line": line, "character": units[encoding]}


def place(text: str, words: str, encoding: str = "utf-16") -> dict:
    """The LSP position of the first of these words in a text."""
    return position(text, text.index(words), encoding)


def span(text: str, words: str, encoding: str = "utf-16") -> dict:
    """The LSP range of these words."""
    start = text.index(words)
    return {"start": position(text, start, encoding), "end": position(text, start + len(words), encoding)}
