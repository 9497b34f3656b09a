"""Sessions as editors hold them: with the capabilities that each declares, in the types that the protocol has."""

import os

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

import project

CLIENTS = ["neovim@v0.7.0", "neovim@v0.11.0", "visual_studio_code", "emacs"]

# What the server asks of a client that says it can: to watch files, and to ask again when more is known.
ASKED_OF_CLIENTS = [
    types.CLIENT_REGISTER_CAPABILITY,
    types.WORKSPACE_INLAY_HINT_REFRESH,
    types.WORKSPACE_CODE_LENS_REFRESH,
]


@pytest_lsp.fixture(params=CLIENTS, config=ClientServerConfig(server_command=[os.environ["DE_COPILOT_BIN"], "lsp"]))
async def client(request, lsp_client: LanguageClient, tmp_path):
    lsp_client.script = project.make(tmp_path)
    for method in ASKED_OF_CLIENTS:
        lsp_client.feature(method)(lambda params: None)
    capabilities = client_capabilities(request.param)
    result = await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=capabilities,
            root_uri=tmp_path.as_uri(),
            workspace_folders=[types.WorkspaceFolder(tmp_path.as_uri(), "project")],
        )
    )
    lsp_client.encoding = result.capabilities.position_encoding or types.PositionEncodingKind.Utf16
    lsp_client.offered = capabilities.general and capabilities.general.position_encodings
    yield
    await lsp_client.shutdown_session()


@pytest.mark.asyncio
async def test_diagnostic_hover_and_edit(client: LanguageClient):
    text, uri = client.script.read_text(), client.script.as_uri()
    document = types.TextDocumentItem(uri, "python", 1, text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(document))
    (wrong,) = await diagnostics(client, lambda found: found)
    assert "no_such_column" in wrong.message
    assert sliced(text, wrong.range, client.encoding).strip("\"'") == "no_such_column"

    where = types.Position(**project.place(text, "data.select", client.encoding))
    hover = await client.text_document_hover_async(types.HoverParams(types.TextDocumentIdentifier(uri), where))
    assert "loan_id" in hover.contents.value
    assert sliced(text, hover.range, client.encoding) == "data"

    old = project.span(text, "no_such_column", client.encoding)
    range = types.Range(types.Position(**old["start"]), types.Position(**old["end"]))
    change = types.TextDocumentContentChangePartial(range=range, text="amount")
    identifier = types.VersionedTextDocumentIdentifier(uri=uri, version=2)
    client.text_document_did_change(types.DidChangeTextDocumentParams(identifier, [change]))
    await diagnostics(client, lambda found: not found)


@pytest.mark.asyncio
async def test_the_encoding_is_one_that_the_client_offers(client: LanguageClient):
    assert client.encoding in (client.offered or [types.PositionEncodingKind.Utf16])


async def diagnostics(client: LanguageClient, wanted) -> list[types.Diagnostic]:
    """The script's diagnostics, once such are published that are wanted."""
    uri = client.script.as_uri()
    while uri not in client.diagnostics or not wanted(client.diagnostics[uri]):
        await client.wait_for_notification("textDocument/publishDiagnostics")
    return list(client.diagnostics[uri])


def sliced(text: str, range: types.Range, encoding: str) -> str:
    """The part of one line that a range covers."""
    codec, width = ("utf-8", 1) if encoding == types.PositionEncodingKind.Utf8 else ("utf-16-le", 2)
    line = text.splitlines()[range.start.line].encode(codec)
    return line[range.start.character * width : range.end.character * width].decode(codec)
