/** What the server knows of the open projects as a whole. */

import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";

/** A place in a file, as the protocol writes it. */
export interface Place {
  uri: string;
  range: { start: Position; end: Position };
}

interface Position {
  line: number;
  character: number;
}

/** A table that a job reads or writes. */
export interface TableUse {
  table: string;
  range: Place["range"];
  /** Columns that the job names of a table that it reads. */
  columns: string[];
}

export interface Job {
  /** Its file, as from the root of its project. */
  name: string;
  root: string;
  uri: string;
  reads: TableUse[];
  writes: TableUse[];
}

export interface Rule {
  id: string;
  column: string | null;
  severity: "error" | "warn";
  source: "code" | "profile" | "llm" | "human";
  description: string | null;
  evidence: string | null;
  /** Whether its test failed the last time. */
  failed: boolean;
}

export interface Contract {
  table: string;
  root: string;
  /** The file that holds it, where it is one on this machine. */
  uri: string | null;
  rules: Rule[];
  lastRun: { date: string; passed: number; failed: string[] } | null;
}

/** Asks the server that runs, if one does. */
export class Project {
  private client: LanguageClient | undefined;
  private readonly changed = new vscode.EventEmitter<void>();
  /** Something may have changed: files, the index of jobs, a run of tests. */
  readonly onChange = this.changed.event;

  use(client: LanguageClient | undefined): void {
    this.client = client;
    this.changed.fire();
  }

  touch(): void {
    this.changed.fire();
  }

  async jobs(): Promise<Job[]> {
    if (!this.client?.isRunning()) return [];
    return (await this.client.sendRequest<{ jobs: Job[] }>("deCopilot/lineage")).jobs;
  }

  async contracts(): Promise<Contract[]> {
    if (!this.client?.isRunning()) return [];
    return this.client.sendRequest<Contract[]>("deCopilot/contracts");
  }
}

/** Shows a place. */
export async function reveal({ uri, range }: Place, viewColumn: vscode.ViewColumn): Promise<void> {
  const selection = new vscode.Range(range.start.line, range.start.character, range.end.line, range.end.character);
  await vscode.window.showTextDocument(vscode.Uri.parse(uri), { selection, viewColumn });
}
