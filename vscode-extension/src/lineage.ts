/** The picture of tables and jobs. */

import { randomBytes } from "node:crypto";

import * as vscode from "vscode";

import { type Contract, type Job, type Place, type Project, reveal } from "./project";

/** What the picture is told. */
export interface Told {
  jobs: Job[];
  contracts: Contract[];
  /** The file that is being edited, which stands out. */
  active: string | undefined;
}

export class Lineage implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;
  private readonly listeners: vscode.Disposable[];

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly project: Project,
  ) {
    const tell = (): void => void this.tell();
    this.listeners = [project.onChange(tell), vscode.window.onDidChangeActiveTextEditor(tell)];
  }

  show(): void {
    if (this.panel !== undefined) {
      this.panel.reveal();
      return;
    }
    const folder = vscode.Uri.joinPath(this.context.extensionUri, "dist");
    this.panel = vscode.window.createWebviewPanel("deCopilot.lineage", "Lineage", vscode.ViewColumn.Beside, {
      enableScripts: true,
      retainContextWhenHidden: true,
      localResourceRoots: [folder],
    });
    const { webview } = this.panel;
    this.panel.onDidDispose(() => (this.panel = undefined));
    webview.onDidReceiveMessage((message: "ready" | Place) => {
      // Beside the picture, not in its place.
      const column = this.panel?.viewColumn === vscode.ViewColumn.One ? vscode.ViewColumn.Two : vscode.ViewColumn.One;
      void (message === "ready" ? this.tell() : reveal(message, column));
    });
    webview.html = page(webview, webview.asWebviewUri(vscode.Uri.joinPath(folder, "lineage.js")));
  }

  dispose(): void {
    this.panel?.dispose();
    vscode.Disposable.from(...this.listeners).dispose();
  }

  private async tell(): Promise<void> {
    if (this.panel === undefined) return;
    const [jobs, contracts] = await Promise.all([this.project.jobs(), this.project.contracts()]);
    const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0];
    await this.panel.webview.postMessage({ jobs, contracts, active: editor?.document.uri.toString() } satisfies Told);
  }
}

function page(webview: vscode.Webview, script: vscode.Uri): string {
  const nonce = randomBytes(16).toString("base64url");
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}' ${webview.cspSource} 'unsafe-inline'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Lineage</title>
<style nonce="${nonce}">
  html, body { height: 100%; margin: 0; padding: 0; overflow: hidden; }
  body { display: grid; grid-template-columns: 1fr 17rem; color: var(--vscode-editor-foreground); }
  #picture { position: relative; min-width: 0; }
  aside { border-left: 1px solid var(--vscode-panel-border); padding: 0.6rem; overflow: auto; }
  li { overflow-wrap: anywhere; }
  input { width: 100%; box-sizing: border-box; padding: 0.3rem; color: var(--vscode-input-foreground);
    background: var(--vscode-input-background); border: 1px solid var(--vscode-input-border, transparent); }
  ul { list-style: none; margin: 0.5rem 0; padding: 0; }
  button { all: unset; cursor: pointer; display: block; width: 100%; box-sizing: border-box; padding: 0.15rem 0.3rem;
    overflow-wrap: anywhere; }
  button:hover { background: var(--vscode-list-hoverBackground); }
  button:focus-visible { outline: 1px solid var(--vscode-focusBorder); }
  h2 { font-size: 1em; margin: 0.8rem 0 0.2rem; overflow-wrap: anywhere; }
  h3 { font-size: 0.9em; font-weight: normal; margin: 0.6rem 0 0.1rem; color: var(--vscode-descriptionForeground); }
  p { margin: 0.3rem 0; color: var(--vscode-descriptionForeground); }
  @media (max-width: 44rem) {
    body { grid-template-columns: 1fr; grid-template-rows: 1fr 45%; }
    aside { border-left: none; border-top: 1px solid var(--vscode-panel-border); }
  }
</style>
</head>
<body>
<main id="picture" role="img" aria-label="Tables and the jobs between them"></main>
<aside>
  <input id="search" type="search" placeholder="Find a table or a job" aria-label="Find a table or a job">
  <section id="details" aria-live="polite"></section>
  <ul id="found" aria-label="Tables and jobs"></ul>
</aside>
<script nonce="${nonce}" src="${script.toString()}"></script>
</body>
</html>`;
}
