"""What a request sees is the text at its place on the wire, whatever is under way."""

import project

CONTENT_MODIFIED, REQUEST_CANCELLED = -32801, -32800
COUNT = 400


def edit(version: int, text: str, old: str, new: str, uri: str) -> tuple[dict, str]:
    """A change of one place, and the text after it."""
    change = {"range": project.span(text, old), "text": new}
    document = {"uri": uri, "version": version}
    return {"textDocument": document, "contentChanges": [change]}, text.replace(old, new, 1)


def hover_params(uri: str, text: str) -> dict:
    return {"textDocument": {"uri": uri}, "position": project.place(text, "data =")}


def test_two_edits_then_hover(wire, script):
    text, uri = script.read_text(), script.as_uri()
    for version, (old, new) in enumerate([('"loans"', '"nothing"'), ('"nothing"', '"customers"')], 2):
        params, text = edit(version, text, old, new, uri)
        wire.notify("textDocument/didChange", params)
    hover = wire.call("textDocument/hover", hover_params(uri, text))
    shown = hover["contents"]["value"]
    assert "customer_id" in shown and "loan_id" not in shown


def test_each_hover_among_edits_tells_of_its_own_text(wire, script):
    text, uri = script.read_text(), script.as_uri()
    tables = ["loans", "customers"]
    asked = {}
    for turn in range(40):
        params, text = edit(turn + 2, text, f'"{tables[turn % 2]}"', f'"{tables[(turn + 1) % 2]}"', uri)
        wire.notify("textDocument/didChange", params)
        asked[wire.request("textDocument/hover", hover_params(uri, text))] = tables[(turn + 1) % 2]
    answers = {id: wire.answer(id) for id in asked}
    for id, table in asked.items():
        if "error" in answers[id]:
            assert answers[id]["error"]["code"] == CONTENT_MODIFIED, answers[id]
        else:
            shown = answers[id]["result"]["contents"]["value"]
            own, other = (project.TABLES[name][0] for name in ([table] + [name for name in tables if name != table]))
            assert own in shown and other not in shown
    assert "result" in answers[max(asked)], "nothing came after the last one"


def test_a_client_that_does_not_read_stops_nothing(start, script):
    text, uri = script.read_text(), script.as_uri()
    wire = start(reading=False)
    root = script.parent.parent.as_uri()
    wire.request("initialize", {"processId": None, "rootUri": root, "capabilities": {}})
    assert "result" in wire.read_one(), "until then, a client must not say anything else"
    wire.notify("initialized", {})
    document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    wire.notify("textDocument/didOpen", {"textDocument": document})
    asked = []
    for turn in range(COUNT):
        old, new = ('"loans"', '"customers"') if turn % 2 == 0 else ('"customers"', '"loans"')
        params, text = edit(turn + 2, text, old, new, uri)
        wire.notify("textDocument/didChange", params)
        asked.append(wire.request("textDocument/hover", hover_params(uri, text)))
    wire.read()
    answers = [wire.answer(id) for id in asked]
    assert {answer["error"]["code"] for answer in answers if "error" in answer} <= {CONTENT_MODIFIED}
    assert "result" in answers[-1]
    wire.wait_for(project.tells_the_unknown_column)
    assert "loan_id" in wire.call("textDocument/hover", hover_params(uri, text))["contents"]["value"]


def test_a_cancelled_request_is_answered_once(wire, script):
    text, uri = script.read_text(), script.as_uri()
    asked = []
    for _ in range(20):
        asked.append(wire.request("textDocument/hover", hover_params(uri, text)))
        wire.notify("$/cancelRequest", {"id": asked[-1]})
    for id in asked:
        answer = wire.answer(id)
        assert "result" in answer or answer["error"]["code"] == REQUEST_CANCELLED, answer
    wire.notify("$/cancelRequest", {"id": "never asked"})
    assert "loan_id" in wire.call("textDocument/hover", hover_params(uri, text))["contents"]["value"]
    ids = [message["id"] for message in wire.messages if "id" in message and "method" not in message]
    assert len(ids) == len(set(ids)), "no request is answered twice"
