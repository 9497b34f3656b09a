"""The Glue catalog over a lake folder: `<database>/<table>/`, described by `_catalog/<database>.<table>.json`."""

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Table:
    """A table: where its files lie, their format, and its columns as Spark DDL (None: Spark infers them)."""

    location: str
    format: str
    columns: str | None
    partition_keys: list[str]


def table(database: str, name: str) -> Table:
    """The table of that name, which has a catalog file or at least a folder."""
    lake = Path(os.environ["GLUE_LAKE"])
    folder = lake / database / name
    description = lake / "_catalog" / f"{database}.{name}.json"
    if not description.exists():
        if not folder.is_dir():
            raise LookupError(f"EntityNotFoundException: table {database}.{name}: there is no folder {folder}")
        return Table(str(folder), _format("", folder), None, [])
    answer = json.loads(description.read_text())
    answer = answer.get("Table", answer)
    storage, keys = answer["StorageDescriptor"], answer.get("PartitionKeys") or []
    location = storage.get("Location") or ""
    return Table(
        location if location.startswith("s3://") else str(lake / (location or folder)),
        _format((storage.get("SerdeInfo") or {}).get("SerializationLibrary", ""), folder),
        ", ".join(f"`{column['Name']}` {column['Type']}" for column in storage["Columns"] + keys),
        [key["Name"] for key in keys],
    )


def _format(library: str, folder: Path) -> str:
    """The format that a SerDe's class names, or else the name of the table's first file."""
    files = sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name[0] not in "._")
    words = [library.lower(), *(name.lower() for name in files[:1])]
    return next((format for word in words for format in ("parquet", "json", "csv") if format in word), "parquet")
