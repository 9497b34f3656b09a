"""The questions of a request, and the answers to them. xtask/src/conformance/engines.rs states the protocol."""

import json
import time
from pathlib import Path


def read(request):
    return json.loads(Path(request).read_text(encoding="utf-8"))


def answered(questions, ask):
    """What `ask` says of each question by its id, and how long it took; where one fails, of its parts too."""
    found = {}
    for question in questions:
        found[question["id"]] = answer = timed(question["sql"], ask)
        if "error" in answer:
            found |= {part["id"]: timed(part["sql"], ask) for part in question.get("parts", [])}
    return found


def timed(sql, ask):
    start = time.perf_counter()
    return {**ask(sql), "seconds": time.perf_counter() - start}


def write(answers, engines):
    Path(answers).write_text(json.dumps({"engines": engines}), encoding="utf-8")
