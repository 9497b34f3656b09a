/** The view of what the open script, as it is now, breaks: other jobs, and the contracts of the tables that it writes. */

import * as vscode from "vscode";

interface Group {
  name: string;
  found: vscode.Diagnostic[];
}

type Item = Group | { diagnostic: vscode.Diagnostic; of: vscode.Uri };

export class Impact implements vscode.TreeDataProvider<Item>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  private readonly listeners: vscode.Disposable[];
  readonly onDidChangeTreeData = this.changed.event;

  constructor() {
    const change = (): void => {
      this.changed.fire(undefined);
    };
    this.listeners = [vscode.window.onDidChangeActiveTextEditor(change), vscode.languages.onDidChangeDiagnostics(change)];
  }

  dispose(): void {
    vscode.Disposable.from(...this.listeners).dispose();
  }

  getChildren(item?: Item): Item[] {
    const document = vscode.window.activeTextEditor?.document;
    if (document === undefined) return [];
    if (item === undefined) return groups(document.uri);
    return "found" in item ? item.found.map((diagnostic) => ({ diagnostic, of: document.uri })) : [];
  }

  getTreeItem(item: Item): vscode.TreeItem {
    if ("found" in item) {
      const group = new vscode.TreeItem(item.name, vscode.TreeItemCollapsibleState.Expanded);
      group.description = `${item.found.length}`;
      group.iconPath = new vscode.ThemeIcon(item.name === CONTRACTS ? "law" : "file-code");
      return group;
    }
    const { diagnostic, of } = item;
    const shown = new vscode.TreeItem(diagnostic.message, vscode.TreeItemCollapsibleState.None);
    shown.tooltip = diagnostic.message;
    shown.iconPath = new vscode.ThemeIcon(diagnostic.severity === vscode.DiagnosticSeverity.Error ? "error" : "warning");
    shown.command = { command: "vscode.open", title: "Show", arguments: [of, { selection: diagnostic.range }] };
    return shown;
  }
}

const CONTRACTS = "Contracts";

/** What is told of a script, by the job that it breaks. */
function groups(script: vscode.Uri): Group[] {
  const found = new Map<string, vscode.Diagnostic[]>();
  for (const diagnostic of vscode.languages.getDiagnostics(script)) {
    if (diagnostic.source !== "de-copilot") continue;
    const code = typeof diagnostic.code === "object" ? String(diagnostic.code.value) : String(diagnostic.code);
    const [related] = diagnostic.relatedInformation ?? [];
    const job = related === undefined ? "Other jobs" : vscode.workspace.asRelativePath(related.location.uri);
    const name = code.startsWith("downstream-") ? job : code.startsWith("contract-") ? CONTRACTS : undefined;
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), diagnostic]);
  }
  return [...found].map(([name, list]) => ({ name, found: list }));
}
