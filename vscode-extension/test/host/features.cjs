const assert = require("node:assert/strict");
const vscode = require("vscode");

const project = vscode.workspace.workspaceFolders[0].uri;

/** The first truthy answer. */
async function until(what, answer) {
  for (let attempt = 0; attempt < 2000; attempt += 1) {
    const found = await answer();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what} did not come`);
}

async function open(name) {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(project, "jobs", name));
  await vscode.window.showTextDocument(document);
  return document;
}

const place = (document, words) => document.positionAt(document.getText().indexOf(words) + 1);

async function hover(document, words) {
  const found = await vscode.commands.executeCommand("vscode.executeHoverProvider", document.uri, place(document, words));
  return found.flatMap((one) => one.contents.map((content) => content.value)).join("\n");
}

describe("the extension", () => {
  it("is started by a Python file", async () => {
    await open("broken.py");
    const extension = vscode.extensions.getExtension("de-copilot.de-copilot");
    await until("the start", () => extension.isActive);
  });

  it("marks an unknown column at its characters", async () => {
    const document = await open("broken.py");
    const [marked] = await until("the diagnostic", () => {
      const found = vscode.languages.getDiagnostics(document.uri).filter((one) => one.source === "de-copilot");
      return found.length > 0 && found;
    });
    assert.equal(document.getText(marked.range), "payment_statsu");
    assert.equal(marked.severity, vscode.DiagnosticSeverity.Error);
    assert.match(marked.message, /Did you mean `payment_status`/);
  });

  it("shows a table and a frame", async () => {
    const document = await open("loan_repayments_etl.py");
    const table = await until("the table", async () => {
      const text = await hover(document, '"dim_loan"');
      return text.includes("loan_id") && text;
    });
    assert.match(table, /ref_db\.dim_loan/);
    const frame = await hover(document, "repayments = joined");
    for (const expected of ["emi_amount", "double", "payment_date"]) assert.ok(frame.includes(expected), frame);
  });

  it("follows an edit", async () => {
    const document = await open("broken.py");
    const start = document.positionAt(document.getText().indexOf("payment_statsu"));
    const edit = new vscode.WorkspaceEdit();
    edit.replace(document.uri, new vscode.Range(start, start.translate(0, "payment_statsu".length)), "payment_status");
    assert.ok(await vscode.workspace.applyEdit(edit));
    const ours = () => vscode.languages.getDiagnostics(document.uri).filter((one) => one.source === "de-copilot");
    await until("the end of the diagnostic", () => ours().length === 0);
    await vscode.commands.executeCommand("workbench.action.files.revert");
    await until("the diagnostic again", () => ours().length > 0);
  });

  it("reads the cells of a notebook as one script", async () => {
    const notebook = await vscode.workspace.openNotebookDocument(vscode.Uri.joinPath(project, "explore.ipynb"));
    await vscode.window.showNotebookDocument(notebook);
    const cell = notebook.cellAt(2).document;
    const [marked] = await until("the diagnostic of a cell", () => {
      const found = vscode.languages.getDiagnostics(cell.uri).filter((one) => one.source === "de-copilot");
      return found.length > 0 && found;
    });
    assert.equal(cell.getText(marked.range), "loan_di");
    assert.match(marked.message, /Did you mean `loan_id`/);
    assert.match(await hover(cell, "loans"), /loan_id/);
  });

  it("offers the columns of a frame inside a string", async () => {
    const document = await open("loan_repayments_etl.py");
    const at = place(document, 'payment_status").isin');
    const labels = await until("the columns", async () => {
      const found = await vscode.commands.executeCommand("vscode.executeCompletionItemProvider", document.uri, at);
      const labels = found.items.filter((item) => item.kind === vscode.CompletionItemKind.Field).map((item) => item.label);
      return labels.includes("emi_amount") && labels;
    });
    assert.ok(labels.includes("payment_date"), labels.join());
  });

  it("leads from a column to the expression that makes it", async () => {
    const document = await open("loan_repayments_etl.py");
    const at = place(document, 'payment_status").alias');
    const [found] = await vscode.commands.executeCommand("vscode.executeDefinitionProvider", document.uri, at);
    assert.ok(document.getText(found.range).includes("raw_payments") || document.getText(found.range).includes("payment_status"));
  });

  it("corrects a column's name", async () => {
    const document = await open("broken.py");
    const at = place(document, "payment_statsu");
    const titles = await until("the correction", async () => {
      const range = new vscode.Range(at, at);
      const found = await vscode.commands.executeCommand("vscode.executeCodeActionProvider", document.uri, range, "quickfix");
      return found.length > 0 && found.map((action) => action.title);
    });
    assert.equal(titles[0], "Replace with `payment_status`", "the nearest name comes first");
    assert.ok(titles.includes("Ignore unknown-column on this line"), titles.join());
    assert.ok(titles.includes("Accept unknown-column here as known"), titles.join());
  });

  it("outlines what a job reads and writes, and finds it by name", async () => {
    const document = await open("loan_repayments_etl.py");
    const symbols = await until("the outline", async () => {
      const found = await vscode.commands.executeCommand("vscode.executeDocumentSymbolProvider", document.uri);
      return found?.find((one) => one.name === "analytics_db.loan_repayment_fact") && found;
    });
    assert.ok(symbols.some((one) => one.detail === "read" && one.name === "ref_db.dim_loan"));
    const tables = await vscode.commands.executeCommand("vscode.executeWorkspaceSymbolProvider", "repayment_fact");
    assert.ok(tables.some((one) => one.containerName.startsWith("read by ")), JSON.stringify(tables));
  });

  it("names the argument of an awsglue call", async () => {
    const document = await open("loan_repayments_etl.py");
    const at = document.positionAt(document.getText().indexOf('"dim_loan"'));
    const help = await vscode.commands.executeCommand("vscode.executeSignatureHelpProvider", document.uri, at, "(");
    const [signature] = help.signatures;
    assert.match(signature.label, /^from_catalog\(database, table_name/);
    assert.equal(signature.parameters[help.activeParameter].label, "table_name");
  });

  it("marks a wrong setting where it is written", async () => {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.joinPath(project, "de-copilot.toml"));
    await vscode.window.showTextDocument(document);
    const edit = new vscode.WorkspaceEdit();
    edit.insert(document.uri, new vscode.Position(0, 0), "[lakes]\n");
    assert.ok(await vscode.workspace.applyEdit(edit));
    const ours = () => vscode.languages.getDiagnostics(document.uri).filter((one) => one.source === "de-copilot");
    const [marked] = await until("the diagnostic", () => ours().length > 0 && ours());
    assert.match(marked.message, /did you mean `lake`/);
    assert.equal(document.getText(marked.range), "[lakes]");
    await vscode.commands.executeCommand("workbench.action.files.revert");
    await until("the end of the diagnostic", () => ours().length === 0);
  });

  it("shows what transforms do, and what is known of the written table", async () => {
    const document = await open("loan_repayments_etl.py");
    const whole = new vscode.Range(0, 0, document.lineCount, 0);
    const hints = await until("the hints", async () => {
      const found = await vscode.commands.executeCommand("vscode.executeInlayHintProvider", document.uri, whole);
      return found.length > 0 && found.map((hint) => hint.label);
    });
    assert.ok(hints.some((hint) => hint.includes("grain loan_id, payment_date")), hints.join("; "));
    const lenses = await vscode.commands.executeCommand("vscode.executeCodeLensProvider", document.uri);
    assert.ok(lenses.some((lens) => lens.command.title === "no contract"), "a lens on the write");
  });

  it("colours the words of SQL in strings", async () => {
    const document = await open("delinquency_report.py");
    const [legend, tokens] = await until("the words", async () => {
      const found = await Promise.all([
        vscode.commands.executeCommand("vscode.provideDocumentSemanticTokensLegend", document.uri),
        vscode.commands.executeCommand("vscode.provideDocumentSemanticTokens", document.uri),
      ]);
      return found.every(Boolean) && found;
    });
    const words = new Map();
    let [line, start] = [0, 0];
    for (let at = 0; at < tokens.data.length; at += 5) {
      const [down, along, length, type] = tokens.data.subarray(at, at + 4);
      [line, start] = [line + down, down > 0 ? along : start + along];
      words.set(document.getText(new vscode.Range(line, start, line, start + length)), legend.tokenTypes[type]);
    }
    assert.equal(words.get("SELECT"), "keyword");
    assert.equal(words.get("SUM"), "function");
    assert.equal(words.get("emi_amount"), "property");
  });

  it("folds calls and imports", async () => {
    const document = await open("loan_repayments_etl.py");
    const folds = await vscode.commands.executeCommand("vscode.executeFoldingRangeProvider", document.uri);
    const imports = folds.find((fold) => fold.kind === vscode.FoldingRangeKind.Imports);
    assert.match(document.lineAt(imports.start).text, /^import sys/);
    assert.ok(folds.some((fold) => document.lineAt(fold.start).text.startsWith("mapped = ApplyMapping.apply(")));
  });

  it("renames a column wherever it is used, and refuses where another job reads it", async () => {
    const document = await open("loan_repayments_etl.py");
    const rename = (words) =>
      vscode.commands.executeCommand("vscode.executeDocumentRenameProvider", document.uri, place(document, words), "renamed");
    const edit = await rename('created_at"');
    const [[uri, edits]] = edit.entries();
    assert.equal(uri.path, document.uri.path);
    assert.deepEqual(edits.map((one) => document.getText(one.range)), ["created_at", "created_at"]);
    await until("the refusal", () => rename('emi_amount"').then(() => false, (error) => /rename it there first/.test(error.message)));
  });

  it("has the contract of a written table generated, and shows it before it is stored", async () => {
    const document = await open("loan_repayments_etl.py");
    const at = place(document, "write_dynamic_frame.from_catalog");
    const action = await until("the action", async () => {
      const range = new vscode.Range(at, at);
      const found = await vscode.commands.executeCommand("vscode.executeCodeActionProvider", document.uri, range);
      return found.find((one) => one.title.startsWith("Generate the contract of "));
    });
    assert.match(action.title, /loan_repayment_fact$/);
    await vscode.commands.executeCommand(action.command.command, ...action.command.arguments);
    const shown = await until("the difference", () =>
      vscode.window.visibleTextEditors.find((editor) => editor.document.uri.path.endsWith("loan_repayment_fact.diff")),
    );
    assert.match(shown.document.getText(), /^\+ {2}"table_name": "loan_repayment_fact",$/m);
    assert.match(shown.document.getText(), /^\+ {4}"emi_amount": \{$/m);
    const contract = vscode.Uri.joinPath(project, "de-copilot", "contracts", "loan_repayment_fact.json");
    await assert.rejects(() => vscode.workspace.fs.stat(contract), "nothing is stored before somebody has said so");
  });

  it("runs the binary for its commands, in a terminal", async () => {
    await open("loan_repayments_etl.py");
    const ended = (name) =>
      new Promise((resolve) => {
        const listening = vscode.tasks.onDidEndTaskProcess(({ execution, exitCode }) => {
          if (execution.task.name !== name) return;
          listening.dispose();
          resolve(exitCode);
        });
      });
    const [doctor, profile] = [ended("doctor"), ended("profile no_such_db.no_such_table")];
    await vscode.commands.executeCommand("deCopilot.doctor");
    assert.equal(await doctor, 0, "what is known of the project is told");
    const contract = { table: "no_such_db.no_such_table", root: project.fsPath };
    await vscode.commands.executeCommand("deCopilot.profile", { contract });
    assert.equal(await profile, 2, "a table that is not there is bad input");
  });

  it("starts its server anew on command", async () => {
    const document = await open("loan_repayments_etl.py");
    await vscode.commands.executeCommand("deCopilot.restart");
    await until("a hover of the new server", async () => (await hover(document, '"dim_loan"')).includes("loan_id"));
  });
});
