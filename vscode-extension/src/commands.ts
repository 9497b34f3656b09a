/** Commands that have the binary do something with a table, in a terminal where its progress and tables are seen. */

import * as vscode from "vscode";

import { findBinary } from "./binary";
import type { Project } from "./project";

const STAGES = ["generate", "test", "profile"] as const;

/** Registers them. What they change is shown once they end. */
export function registerCommands(context: vscode.ExtensionContext, project: Project): void {
  const stage = (name: string) =>
    vscode.commands.registerCommand(`deCopilot.${name}`, async (item?: { contract?: { table: string; root: string } }) => {
      const chosen = item?.contract ?? (await chooseTable(project));
      if (chosen !== undefined) await run(context, [name, chosen.table], chosen.root);
    });
  const doctor = vscode.commands.registerCommand("deCopilot.doctor", async () => {
    const root = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
    if (root !== undefined) await run(context, ["doctor"], root);
  });
  const ended = vscode.tasks.onDidEndTask(({ execution }) => {
    if (execution.task.definition.type === "de-copilot") project.touch();
  });
  context.subscriptions.push(...STAGES.map(stage), doctor, ended);
}

async function chooseTable(project: Project): Promise<{ table: string; root: string } | undefined> {
  const tables = new Map<string, { label: string; description: string; table: string; root: string }>();
  for (const job of await project.jobs()) {
    for (const { table } of [...job.writes, ...job.reads]) {
      const known = tables.get(job.root + table);
      if (known === undefined) tables.set(job.root + table, { label: table, description: job.name, table, root: job.root });
    }
  }
  return vscode.window.showQuickPick([...tables.values()], { placeHolder: "Which table?" });
}

/** A task whose terminal stays, so that what it has found can be read. */
async function run(context: vscode.ExtensionContext, args: string[], root: string): Promise<void> {
  try {
    const command = await findBinary(context);
    const execution = new vscode.ProcessExecution(command, args, { cwd: root });
    const task = new vscode.Task({ type: "de-copilot" }, vscode.TaskScope.Workspace, args.join(" "), "DE Copilot", execution, []);
    task.presentationOptions = { reveal: vscode.TaskRevealKind.Always, panel: vscode.TaskPanelKind.Shared, clear: true };
    await vscode.tasks.executeTask(task);
  } catch (error) {
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}
