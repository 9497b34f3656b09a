"""The questions of a request, and the answers to them. xtask/src/conformance/engines.rs states the protocol."""

import json
from pathlib import Path


def read(request):
    return json.loads(Path(request).read_text(encoding="utf-8"))


def answered(questions, ask):
    """What `ask` says of each question by its id; where one fails, of its parts too."""
    found = {}
    for question in questions:
        found[question["id"]] = answer = ask(question["sql"])
        if "error" in answer:
            found |= {part["id"]: ask(part["sql"]) for part in question.get("parts", [])}
    return found


def write(answers, engines):
    Path(answers).write_text(json.dumps({"engines": engines}), encoding="utf-8")
