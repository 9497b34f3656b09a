"""A client that writes what it is told, byte by byte, and keeps all that comes back."""

import json
import subprocess
import threading
from pathlib import Path
from typing import Any, Callable

# Long enough for a busy machine; nothing here waits as long as this unless it fails.
PATIENCE = 60


class Wire:
    """One server process on the other end of two pipes."""

    def __init__(self, command: list[str], folder: Path, reading: bool = True):
        """Starts the server. With `reading` false nothing of its output is read until `read` is called."""
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.messages: list[dict] = []
        self._arrived = threading.Condition()
        self._last_id = 0
        if reading:
            self.read()

    def read(self) -> None:
        """Starts to read what the server says."""
        threading.Thread(target=self._read_all, daemon=True).start()

    def write(self, data: bytes) -> None:
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: Any) -> None:
        body = json.dumps(message).encode()
        self.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method} | ({} if params is None else {"params": params}))

    def request(self, method: str, params: Any = None) -> int:
        """Sends a request, waits for nothing and returns its id."""
        self._last_id += 1
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method}
        self.send(message | ({} if params is None else {"params": params}))
        return self._last_id

    def answer(self, id: int | None) -> dict:
        """The whole response to a request."""
        return self.wait_for(lambda message: "method" not in message and message.get("id") == id)

    def call(self, method: str, params: Any = None) -> Any:
        """Sends a request and returns its result, which must be no error."""
        answer = self.answer(self.request(method, params))
        assert "error" not in answer, answer
        return answer["result"]

    def wait_for(self, wanted: Callable[[dict], bool]) -> dict:
        """The first message, of those that came and those to come, that is wanted."""
        with self._arrived:
            found = self._arrived.wait_for(lambda: next(filter(wanted, self.messages), None), PATIENCE)
            assert found, f"the server did not say it; it said {self.messages[-5:]}"
            return found

    def initialize(self, folder: Path, capabilities: dict | None = None, process: int | None = None) -> dict:
        uri = folder.as_uri()
        params = {
            "processId": process,
            "rootUri": uri,
            "workspaceFolders": [{"uri": uri, "name": folder.name}],
            "capabilities": capabilities or {},
        }
        result = self.call("initialize", params)
        self.notify("initialized", {})
        return result

    def exit_code(self) -> int:
        """Waits for the process to end."""
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    def read_one(self) -> dict | None:
        """Reads the next message here and now; for a client that reads nothing else. None at the end of the output."""
        stream = self.process.stdout
        if not (header := stream.readline()):
            return None
        length = int(header.removeprefix(b"Content-Length:"))
        while stream.readline().strip():
            pass
        message = json.loads(stream.read(length))
        with self._arrived:
            self.messages.append(message)
            self._arrived.notify_all()
        if "id" in message and "method" in message:
            self.send({"jsonrpc": "2.0", "id": message["id"], "result": None})
        return message

    def _read_all(self) -> None:
        while self.read_one():
            pass
