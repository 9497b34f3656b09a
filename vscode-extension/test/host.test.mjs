// Runs the tests of test/host in VS Code's extension host, where the whole of its API is at hand.
import assert from "node:assert/strict";
import { join } from "node:path";

import { extension, openWindow, remote } from "./setup.mjs";

describe("in the extension host", () => {
  it("all tests pass", async () => {
    let ended;
    const lines = [];
    const code = new Promise((resolve) => (ended = resolve));
    const payload = [
      ["extensionDevelopmentPath", remote(extension)],
      ["extensionTestsPath", remote(join(extension, "test", "host", "index.cjs"))],
      ["skipWelcome", "true"],
    ];
    const { browser } = await openWindow(payload, async (page) => {
      await page.exposeFunction("codeAutomationExit", ended);
      await page.exposeFunction("codeAutomationLog", (_, args) => {
        lines.push(args.map((text) => String(text).replace(/%c/g, "")).join(" "));
      });
    });
    const timeout = new Promise((resolve) => setTimeout(resolve, 220_000, "none in 220 seconds"));
    const outcome = await Promise.race([code, timeout]);
    await browser.close();
    // VS Code logs much beside what the tests print, which matters only where they fail.
    for (const line of lines.filter((line) => outcome !== 0 || /^\s*✔/.test(line))) console.log(line);
    assert.equal(outcome, 0, "the exit code of the extension host's tests");
  });
});
