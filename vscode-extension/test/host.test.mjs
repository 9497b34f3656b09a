// Runs the tests of test/host in VS Code's extension host, where the whole of its API is at hand.
import assert from "node:assert/strict";
import { join } from "node:path";

import { extension, openWindow, remote } from "./setup.mjs";

describe("in the extension host", () => {
  it("all tests pass", async () => {
    let ended;
    const code = new Promise((resolve) => (ended = resolve));
    const payload = [
      ["extensionDevelopmentPath", remote(extension)],
      ["extensionTestsPath", remote(join(extension, "test", "host", "index.cjs"))],
      ["skipWelcome", "true"],
    ];
    const { browser } = await openWindow(payload, async (page) => {
      await page.exposeFunction("codeAutomationExit", ended);
      await page.exposeFunction("codeAutomationLog", (_, args) => {
        console.log(...args.map((text) => String(text).replace(/%c/g, "")));
      });
    });
    const timeout = new Promise((resolve) => setTimeout(resolve, 100_000, "none in 100 seconds"));
    assert.equal(await Promise.race([code, timeout]), 0, "the exit code of the extension host's tests");
    await browser.close();
  });
});
