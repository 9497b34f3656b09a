/** Finds the binary: the setting, then PATH, then the one that was packaged with the extension. */

import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import * as vscode from "vscode";

const NAME = process.platform === "win32" ? "de-copilot.exe" : "de-copilot";

/** Path of the binary. Rejects with what to do where there is none. */
export async function findBinary(context: vscode.ExtensionContext): Promise<string> {
  const setting = vscode.workspace.getConfiguration("deCopilot").get<string>("path", "").trim();
  if (setting !== "") {
    const path = setting.startsWith("~/") ? join(homedir(), setting.slice(2)) : setting;
    if (await isExecutable(path)) return path;
    throw new Error(`The setting deCopilot.path names ${path}, which is not a program. Correct or clear it.`);
  }
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = [...folders.map((folder) => join(folder, NAME)), context.asAbsolutePath(join("server", NAME))];
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  throw new Error(`${NAME} is not on PATH and did not come with the extension. Install it, or set deCopilot.path.`);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
