// The packaged extension as a person meets it: keyboard, mouse and what the window shows.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { openWindow, remote, shared } from "./setup.mjs";

describe("in the window", () => {
  let browser;
  let page;

  before(async () => {
    const file = remote(join(shared.project, "jobs", "broken.py"));
    ({ browser, page } = await openWindow([["openFile", file], ["skipWelcome", "true"]]));
    await page.waitForSelector('.tab[data-resource-name="broken.py"]');
  });

  after(() => browser?.close());

  it("a column that does not exist is underlined, and a hover says what it may be", async () => {
    await goTo("payment_statsu");
    const squiggle = page.locator(".monaco-editor .squiggly-error").first();
    await squiggle.waitFor();
    const { x, y, width, height } = await squiggle.boundingBox();
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.move(x + width / 2 + 2, y + height / 2);
    const hover = page.locator(".monaco-hover", { hasText: "Did you mean" }).first();
    await hover.waitFor();
    assert.match(await hover.innerText(), /payment_status/);
    await screenshot("squiggle");
    await page.mouse.move(0, 0);
  });

  it("the keyboard's hover on a frame shows its columns", async () => {
    await goTo("repayments = joined");
    await page.keyboard.press("Control+K");
    await page.keyboard.press("Control+I");
    const hover = page.locator(".monaco-hover", { hasText: "data frame" }).first();
    await hover.waitFor();
    assert.match(await hover.innerText(), /emi_amount\s+double/);
    await screenshot("frame");
  });

  it("the status bar names the extension", async () => {
    const item = page.locator(".statusbar-item", { hasText: "DE Copilot" });
    await item.waitFor();
  });

  it("a contract is stored once its difference has been seen and wanted", async () => {
    const contract = join(shared.project, "de-copilot", "contracts", "loan_repayment_fact.json");
    await goTo("write_dynamic_frame.from_catalog");
    await page.keyboard.press("Control+.");
    await page.locator(".action-widget .action.focused", { hasText: "Generate the contract of" }).waitFor();
    await page.keyboard.press("Enter");
    const question = page.locator(".notification-toast", { hasText: "a new contract of" });
    await question.waitFor();
    await page.locator(".monaco-editor .view-line", { hasText: '+  "table_name": "loan_repayment_fact"' }).waitFor();
    await screenshot("difference");
    assert.equal(existsSync(contract), false, "nothing is stored before somebody has said so");
    await question.getByRole("button", { name: "Store" }).click();
    await page.waitForSelector('.tab[data-resource-name="loan_repayment_fact.json"]');
    await screenshot("contract");
    const { columns } = JSON.parse(await readFile(contract, "utf8"));
    assert.ok(Object.keys(columns).includes("emi_amount"), Object.keys(columns).join());
  });

  it("the view of contracts lists the rules of the stored contract", async () => {
    await command("Contracts: Focus on Contracts View");
    await row("loan_repayment_fact").waitFor();
    await row("loan_repayment_fact").locator(".monaco-tl-twistie").click();
    await row("not_null_").waitFor();
    await screenshot("contracts");
    assert.match(await row("not_null_").innerText(), /from the (script|data)/);
  });

  it("the picture of lineage leads from a table to the call that writes it", async () => {
    await command("DE Copilot: Show Lineage");
    const inner = page.frameLocator("iframe.webview").frameLocator("#active-frame");
    await inner.getByRole("button", { name: "loan_repayment_fact" }).first().waitFor();
    await inner.getByRole("searchbox").fill("repayment_fact");
    await inner.getByRole("button", { name: "loan_repayment_fact" }).first().click();
    await inner.locator("#details h3", { hasText: "Written by" }).waitFor();
    await screenshot("lineage");
    await inner.locator("#details").getByRole("button", { name: "loan_repayments_etl.py" }).first().click();
    await page.waitForSelector('.tab.active[data-resource-name="loan_repayments_etl.py"]');
  });

  it("the view of impact names the jobs that an edit breaks, before it is saved", async () => {
    await page.locator(".view-line", { hasText: 'F.col("emi_amount")' }).click();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.insertText('.alias("paid_amount")');
    await row("jobs/delinquency_report.py").waitFor();
    await row("reads column `emi_amount`").waitFor();
    await row("column `emi_amount` is promised and not written").waitFor();
    await screenshot("impact");
    await command("File: Revert File");
    await row("jobs/delinquency_report.py").waitFor({ state: "hidden" });
  });

  it("a renaming is shown before it is applied", async () => {
    const line = page.locator(".view-line", { hasText: 'F.col("created_at")' }).first();
    await line.click();
    await page.keyboard.press("End");
    for (let i = 0; i < 5; i += 1) await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("F2");
    const box = page.locator(".rename-box input, .rename-input-box input").first();
    await box.waitFor();
    await box.fill("made_at");
    await page.keyboard.press("Enter");
    const shown = (text) => page.locator(".panel .monaco-list-row", { hasText: text }).first();
    await shown("loan_repayment_fact.json").waitFor();
    await screenshot("rename");
    // What is to be confirmed is not chosen beforehand.
    for (const file of ["loan_repayment_fact.json", "loan_repayments_etl.py"]) await shown(file).getByRole("checkbox").check();
    await page.locator(".panel").getByRole("button", { name: "Apply" }).click();
    await page.locator(".view-line", { hasText: 'F.col("made_at")' }).first().waitFor();
    await line.waitFor({ state: "hidden" });
  });

  it("a walkthrough leads from the lake to lineage", async () => {
    await command("Welcome: Open Walkthrough...");
    await page.locator(".quick-input-widget .monaco-list-row", { hasText: "Start with DE Copilot" }).first().click();
    for (const step of ["Say where the lake is", "Open a Glue script", "Generate a contract", "See what hangs together"])
      await page.locator(".gettingStartedContainer", { hasText: step }).first().waitFor();
    await screenshot("walkthrough");
  });

  /** A line of a view in the side bar. */
  function row(text) {
    return page.locator(".sidebar .monaco-list-row", { hasText: text }).first();
  }

  /** Runs a command by the palette. */
  async function command(title) {
    await page.keyboard.press("F1");
    const input = page.locator(".quick-input-widget input").first();
    await input.waitFor();
    await input.fill(`>${title}`);
    await page.locator(".quick-input-list .monaco-list-row").first().waitFor();
    await page.keyboard.press("Enter");
  }

  /** Puts the cursor on words of the open file by the find widget, as a person does. */
  async function goTo(words) {
    await page.locator(".monaco-editor .view-lines").first().click();
    await page.keyboard.press("Control+F");
    await page.keyboard.press("Control+A");
    await page.keyboard.insertText(words);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
  }

  /** Keeps a picture where $SCREENSHOTS says, for people who want to look. */
  async function screenshot(name) {
    if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) });
  }
});
