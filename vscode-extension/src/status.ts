/** The status bar's item: whether the server runs, and how well it knows the project. */

import * as vscode from "vscode";

/** What the server says of itself in `deCopilot/status`. */
export interface ServerStatus {
  health: "ok" | "degraded" | "error";
  /** A sentence a line; empty where all is well. */
  message: string;
}

export class Status implements vscode.Disposable {
  private isStarting = false;
  private readonly item = vscode.window.createStatusBarItem("deCopilot.status", vscode.StatusBarAlignment.Right);

  constructor() {
    this.item.name = "DE Copilot";
    this.item.command = "deCopilot.showLog";
    this.item.show();
  }

  starting(): void {
    this.isStarting = true;
    this.show("$(sync~spin)", "Starting.", undefined);
  }

  /** The server is there; it may have told more of itself already. */
  started(): void {
    if (this.isStarting) this.running({ health: "ok", message: "" });
  }

  running({ health, message }: ServerStatus): void {
    this.isStarting = false;
    const icons = { ok: "$(check)", degraded: "$(warning)", error: "$(error)" };
    const colors = { ok: undefined, degraded: "warning", error: "error" };
    this.show(icons[health], message === "" ? "Running." : message, colors[health]);
  }

  failed(reason: string): void {
    this.show("$(error)", reason, "error");
  }

  dispose(): void {
    this.item.dispose();
  }

  private show(icon: string, reason: string, color: string | undefined): void {
    this.item.text = `${icon} DE Copilot`;
    this.item.tooltip = reason;
    this.item.accessibilityInformation = { label: `DE Copilot: ${reason}` };
    this.item.backgroundColor = color === undefined ? undefined : new vscode.ThemeColor(`statusBarItem.${color}Background`);
  }
}
