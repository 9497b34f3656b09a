"""How a session begins and ends."""

import os
import subprocess

SERVER_NOT_INITIALIZED, INVALID_REQUEST = -32002, -32600


def test_it_says_what_it_is(start, script):
    result = start().initialize(script.parent.parent)
    assert result["serverInfo"]["name"] == "de-copilot"
    assert result["capabilities"]["hoverProvider"]


def test_before_initialize_a_request_is_refused(start):
    wire = start()
    answer = wire.answer(wire.request("textDocument/hover", {}))
    assert answer["error"]["code"] == SERVER_NOT_INITIALIZED


def test_shutdown_then_exit_is_an_orderly_end(wire):
    assert wire.call("shutdown") is None
    refused = wire.answer(wire.request("textDocument/hover", {}))
    assert refused["error"]["code"] == INVALID_REQUEST
    wire.notify("exit")
    assert wire.exit_code() == 0


def test_exit_without_shutdown_ends_with_an_error(wire):
    wire.notify("exit")
    assert wire.exit_code() == 1


def test_the_end_of_its_input_ends_it(wire):
    wire.process.stdin.close()
    assert wire.exit_code() == 1


def test_the_end_of_the_client_process_ends_it(start, script):
    wire = start()
    client = subprocess.Popen(["sleep", "600"])
    wire.initialize(script.parent.parent, process=client.pid)
    client.kill()
    client.wait()
    assert wire.exit_code() == 1


def test_a_client_process_that_lives_keeps_it(start, script):
    wire = start()
    wire.initialize(script.parent.parent, process=os.getpid())
    assert wire.call("shutdown") is None
