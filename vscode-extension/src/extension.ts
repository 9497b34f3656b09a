/** Starts the language server and shows how it is. Everything else the server does. */

import * as vscode from "vscode";
import { LanguageClient, State, TransportKind } from "vscode-languageclient/node";

import { findBinary } from "./binary";
import { registerCommands } from "./commands";
import { Contracts } from "./contracts";
import { Impact } from "./impact";
import { Lineage } from "./lineage";
import { Project } from "./project";
import { Status, type ServerStatus } from "./status";

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel("DE Copilot", { log: true });
  const status = new Status();
  const project = new Project();
  const lineage = new Lineage(context, project);
  const impact = new Impact();
  const restart = serially(async () => {
    await stop(project);
    await start(context, log, status, project);
  });

  // The commands come first and the server last, so that both work on the way out of a server that does not start.
  context.subscriptions.push(
    log,
    status,
    lineage,
    impact,
    vscode.window.registerTreeDataProvider("deCopilot.contracts", new Contracts(project)),
    vscode.window.registerTreeDataProvider("deCopilot.impact", impact),
    vscode.commands.registerCommand("deCopilot.showLineage", () => {
      lineage.show();
    }),
    vscode.commands.registerCommand("deCopilot.refresh", () => {
      project.touch();
    }),
    vscode.workspace.onDidSaveTextDocument(() => {
      project.touch();
    }),
    vscode.commands.registerCommand("deCopilot.showLog", () => {
      log.show();
    }),
    vscode.commands.registerCommand("deCopilot.restart", restart),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("deCopilot.path")) void restart();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void restart()),
  );
  registerCommands(context, project);
  await restart();
}

export async function deactivate(): Promise<void> {
  await stop(undefined);
}

async function start(
  context: vscode.ExtensionContext,
  log: vscode.LogOutputChannel,
  status: Status,
  project: Project,
): Promise<void> {
  status.starting();
  try {
    const command = await findBinary(context);
    log.info(`starting ${command}`);
    client = new LanguageClient(
      "deCopilot",
      "DE Copilot",
      { command, args: ["lsp"], transport: TransportKind.stdio },
      {
        documentSelector: [
          ...["file", "untitled"].map((scheme) => ({ scheme, language: "python" })),
          { notebook: "jupyter-notebook", language: "python" },
          ...["de-copilot.toml", "contracts/*.{json,yaml,yml}", "tests/*.json"].map((file) => ({
            scheme: "file",
            pattern: `**/${file}`,
          })),
        ],
        outputChannel: log,
        middleware: {
          // VS Code takes the words of a file from one extension alone: the one that reads all of Python goes first.
          provideDocumentSemanticTokens: (document, token, next) =>
            vscode.extensions.getExtension("ms-python.vscode-pylance") ? null : next(document, token),
        },
      },
    );
    client.onNotification("deCopilot/status", (report: ServerStatus) => {
      status.running(report);
      project.touch();
    });
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped) status.failed("The server has stopped.");
    });
    await client.start();
    status.started();
    project.use(client);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.error(reason);
    status.failed(reason);
  }
}

async function stop(project: Project | undefined): Promise<void> {
  const stopping = client;
  client = undefined;
  project?.use(undefined);
  try {
    await stopping?.dispose();
  } catch {
    // It had not started, or is gone already: both are what was wanted.
  }
}

/** Runs one call at a time: a second one while the first runs begins when that has ended. */
function serially(action: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  return () => (last = last.then(action));
}
