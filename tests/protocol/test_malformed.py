"""What is not a message is told and skipped; what comes after it is served."""

import pytest

import project

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def assert_it_still_serves(wire, script):
    text = script.read_text()
    params = {"textDocument": {"uri": script.as_uri()}, "position": project.place(text, "data =")}
    assert "loan_id" in wire.call("textDocument/hover", params)["contents"]["value"]


@pytest.mark.parametrize(
    ("bytes", "code"),
    [
        (framed(b'{"jsonrpc": "2.0", '), PARSE_ERROR),
        (framed(b"\xff\xfe\x00"), PARSE_ERROR),
        (framed(b""), PARSE_ERROR),
        (framed(b"[]"), INVALID_REQUEST),
        (framed(b'{"jsonrpc": "2.0", "method": 5, "id": null}'), INVALID_REQUEST),
        (framed(b'{"jsonrpc": "2.0"}'), INVALID_REQUEST),
        (b"Content-Length: many\r\n\r\n", PARSE_ERROR),
        (b"Content-Type: text/plain\r\n\r\n", PARSE_ERROR),
    ],
    ids=["cut off", "not UTF-8", "empty", "a list", "method is a number", "nothing in it", "no length", "no header"],
)
def test_what_is_not_a_message_is_told(wire, script, bytes, code):
    wire.write(bytes)
    assert wire.answer(None)["error"]["code"] == code
    assert_it_still_serves(wire, script)


def test_unknown_methods_and_wrong_parameters(wire, script):
    assert wire.answer(wire.request("no/such"))["error"]["code"] == METHOD_NOT_FOUND
    wrong = wire.answer(wire.request("textDocument/hover", {"position": "here"}))
    assert wrong["error"]["code"] == INVALID_PARAMS
    for method in ("no/such", "$/no/such", "textDocument/didChange", "textDocument/didOpen"):
        wire.notify(method, {"no": "such"})
    assert_it_still_serves(wire, script)


def test_places_that_are_not_in_the_text(wire, script):
    uri = script.as_uri()
    far = {"line": 1_000_000, "character": 4_000_000_000}
    wire.answer(wire.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": far}))
    wire.answer(wire.request("textDocument/hover", {"textDocument": {"uri": "file:///no/such.py"}, "position": far}))
    change = {"range": {"start": far, "end": far}, "text": "\n# the end\n"}
    wire.notify(
        "textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]}
    )
    assert_it_still_serves(wire, script)


def test_half_an_emoji_loses_no_edit(wire, script):
    """JavaScript clients send half a surrogate pair where somebody deletes the other half."""
    text, uri = script.read_text(), script.as_uri()
    body = (
        '{"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {"textDocument": {"uri": "%s", "version": 2},'
        ' "contentChanges": [{"text": "%s"}]}}'
    ) % (uri, text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("😀", "\\ud83d"))
    wire.write(framed(body.replace("loans", "customers").encode()))
    params = {"textDocument": {"uri": uri}, "position": project.place(text, "data =")}
    assert "customer_id" in wire.call("textDocument/hover", params)["contents"]["value"]
