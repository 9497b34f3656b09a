/** The view of contracts: tables, their rules with why they are believed, and how their tests went the last time. */

import * as vscode from "vscode";

import type { Contract, Project, Rule } from "./project";

type Item = { contract: Contract } | { rule: Rule; contract: Contract };

export class Contracts implements vscode.TreeDataProvider<Item> {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;

  constructor(private readonly project: Project) {
    project.onChange(() => {
      this.changed.fire(undefined);
    });
  }

  async getChildren(item?: Item): Promise<Item[]> {
    if (item === undefined) return (await this.project.contracts()).map((contract) => ({ contract }));
    return "rule" in item ? [] : item.contract.rules.map((rule) => ({ rule, contract: item.contract }));
  }

  getTreeItem(item: Item): vscode.TreeItem {
    return "rule" in item ? ruleItem(item.rule, item.contract) : tableItem(item.contract);
  }
}

function tableItem(contract: Contract): vscode.TreeItem {
  const { table, rules, lastRun } = contract;
  const item = new vscode.TreeItem(table, vscode.TreeItemCollapsibleState.Collapsed);
  const failed = lastRun?.failed.length ?? 0;
  const run = lastRun === null ? "not tested" : failed === 0 ? `passed ${lastRun.date}` : `${failed} failed ${lastRun.date}`;
  item.id = `${contract.root}/${table}`;
  item.description = `${rules.length} rules · ${run}`;
  item.iconPath = icon(lastRun === null ? "circle-outline" : failed === 0 ? "pass" : "error");
  item.contextValue = "table";
  item.command = open(contract);
  item.accessibilityInformation = { label: `${table}, ${item.description}` };
  return item;
}

function ruleItem(rule: Rule, contract: Contract): vscode.TreeItem {
  const item = new vscode.TreeItem(rule.id, vscode.TreeItemCollapsibleState.None);
  const sources = { code: "from the script", profile: "from the data", llm: "proposed", human: "by hand" };
  item.id = `${contract.root}/${contract.table}/${rule.id}`;
  item.description = [sources[rule.source], ...(rule.severity === "warn" ? ["warns"] : [])].join(" · ");
  item.tooltip = [rule.description, rule.evidence].filter((text) => text !== null).join("\n\n");
  item.iconPath = icon(contract.lastRun === null ? "circle-outline" : rule.failed ? "error" : "pass");
  item.command = open(contract);
  item.accessibilityInformation = { label: `${rule.id}, ${item.description}${rule.failed ? ", failed" : ""}` };
  return item;
}

function open({ uri }: Contract): vscode.Command | undefined {
  if (uri === null) return undefined;
  return { command: "vscode.open", title: "Open the contract", arguments: [vscode.Uri.parse(uri)] };
}

function icon(name: "circle-outline" | "pass" | "error"): vscode.ThemeIcon {
  const colors = { "circle-outline": undefined, pass: "testing.iconPassed", error: "testing.iconFailed" };
  const color = colors[name];
  return new vscode.ThemeIcon(name, color === undefined ? undefined : new vscode.ThemeColor(color));
}
