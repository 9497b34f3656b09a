"""Sessions as editors hold them, with the capabilities that they declare and the types that the protocol has."""

import os

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

import project

CLIENTS = ["neovim@v0.7.0", "neovim@v0.11.0", "visual_studio_code", "emacs"]


@pytest_lsp.fixture(params=CLIENTS, config=ClientServerConfig(server_command=[os.environ["DE_COPILOT_BIN"], "lsp"]))
async def client(request, lsp_client: LanguageClient, tmp_path):
    script = project.make(tmp_path)
    result = await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities(request.param),
            root_uri=tmp_path.as_uri(),
            workspace_folders=[types.WorkspaceFolder(tmp_path.as_uri(), "project")],
        )
    )
    lsp_client.script = script
    lsp_client.encoding = result.capabilities.position_encoding or "utf-16"
    yield
    await lsp_client.shutdown_session()


@pytest.mark.asyncio
async def test_diagnostic_hover_and_edit(client: LanguageClient):
    text, uri = client.script.read_text(), client.script.as_uri()
    document = types.TextDocumentItem(uri, "python", 1, text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(document))
    (wrong,) = await diagnostics(client, 1)
    assert "no_such_column" in wrong.message
    assert sliced(text, wrong.range, client.encoding).strip("\"'") == "no_such_column"

    where = types.Position(**project.place(text, "data.select", client.encoding))
    hover = await client.text_document_hover_async(types.HoverParams(types.TextDocumentIdentifier(uri), where))
    assert "loan_id" in hover.contents.value
    assert sliced(text, hover.range, client.encoding) == "data"

    old = project.span(text, "no_such_column", client.encoding)
    change = types.TextDocumentContentChangePartial(
        range=types.Range(types.Position(**old["start"]), types.Position(**old["end"])), text="amount"
    )
    identifier = types.VersionedTextDocumentIdentifier(uri=uri, version=2)
    client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
    assert await diagnostics(client, 2) == []


async def diagnostics(client: LanguageClient, version: int) -> list[types.Diagnostic]:
    """The diagnostics of a version of the script, once they are published."""
    uri = client.script.as_uri()
    wanted = {1: lambda found: len(found) > 0, 2: lambda found: len(found) == 0}[version]
    while not wanted(client.diagnostics.get(uri, [] if version == 1 else [None])):
        await client.wait_for_notification("textDocument/publishDiagnostics")
    return list(client.diagnostics[uri])


def sliced(text: str, range: types.Range, encoding: str) -> str:
    """The part of one line that a range covers."""
    codec, width = ("utf-8", 1) if encoding == "utf-8" else ("utf-16-le", 2)
    line = text.splitlines()[range.start.line].encode(codec)
    return line[range.start.character * width : range.end.character * width].decode(codec)


@pytest.mark.asyncio
async def test_the_encoding_is_one_that_the_client_offers(client: LanguageClient):
    general = client_capabilities_of(client)
    offered = (general.position_encodings if general else None) or ["utf-16"]
    assert client.encoding in offered


def client_capabilities_of(client: LanguageClient) -> types.GeneralClientCapabilities | None:
    return client.capabilities.general
