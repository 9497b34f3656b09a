// What all tests share: the packaged extension, a project, and a VS Code server that has the one and opens the other.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

const run = promisify(execFile);

export const extension = dirname(dirname(fileURLToPath(import.meta.url)));
const loans = join(dirname(extension), "fixtures", "loans");

/** Settings that keep VS Code quiet and its hovers quick. */
const SETTINGS = {
  "telemetry.telemetryLevel": "off",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.reduceMotion": "on",
  "update.mode": "none",
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": "off",
  "extensions.ignoreRecommendations": true,
  "git.enabled": false,
  "editor.hover.delay": 100,
  "files.autoSave": "off",
};

/** How long a window may take for one thing, in milliseconds. */
const PATIENCE = 120_000;

/** Set by mochaGlobalSetup: `folder` of all files, `project`, `address` of the server. */
export const shared = {};
let server;

export async function mochaGlobalSetup() {
  const folder = await mkdtemp(join(tmpdir(), "de-copilot-vscode-"));
  Object.assign(shared, { folder, project: join(folder, "loans") });
  await makeProject(shared.project);
  await mkdir(join(folder, "bin"));
  await symlink(required("DE_COPILOT_BIN"), join(folder, "bin", "de-copilot"));

  await run("npm", ["run", "package"], { cwd: extension });
  await mkdir(join(folder, "data", "Machine"), { recursive: true });
  await writeFile(join(folder, "data", "Machine", "settings.json"), JSON.stringify(SETTINGS));
  await vscodeServer(["--install-extension", join(extension, "dist", "de-copilot.vsix")], "ignore").finished;

  const port = await freePort();
  server = vscodeServer(
    [
      ...["--host", "127.0.0.1", "--port", String(port), "--without-connection-token"],
      ...["--enable-smoke-test-driver", "--disable-telemetry", "--disable-workspace-trust"],
      ...["--reconnection-grace-time", "5"],
    ],
    "ignore",
  );
  shared.address = `http://127.0.0.1:${port}`;
  await until("the VS Code server", async () => (await fetch(shared.address)).ok);
}

export async function mochaGlobalTeardown() {
  if (server !== undefined) {
    server.process.kill();
    await server.finished.catch(() => undefined);
  }
  if (shared.folder !== undefined) await rm(shared.folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A browser of its own profile, and a page that shows the project with these window settings. */
export async function openWindow(payload, prepare = async () => undefined) {
  const profile = await mkdtemp(join(shared.folder, "chromium-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    viewport: { width: 1280, height: 900 },
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  });
  const page = browser.pages()[0] ?? (await browser.newPage());
  // A busy machine takes its time to start an extension host; nothing waits as long unless it fails.
  page.setDefaultTimeout(PATIENCE);
  await prepare(page);
  const query = new URLSearchParams({ folder: shared.project, payload: JSON.stringify(payload) });
  await page.goto(`${shared.address}/?${query}`, { waitUntil: "domcontentloaded" });
  return { browser, page };
}

/** How a file is named to a window. */
export function remote(path) {
  return `vscode-remote://${new URL(shared.address).host}${path}`;
}

/** The demo's project, with a second script that asks for a column which does not exist. */
async function makeProject(project) {
  await mkdir(project);
  for (const name of ["jobs", "de-copilot.toml"]) await cp(join(loans, name), join(project, name), { recursive: true });
  await cp(join(loans, "catalog"), join(project, "lake", "_catalog"), { recursive: true });
  const script = join(project, "jobs", "loan_repayments_etl.py");
  await chmod(script, 0o644);
  const text = await readFile(script, "utf8");
  await writeFile(join(project, "jobs", "broken.py"), text.replace('F.col("payment_status").isin', 'F.col("payment_statsu").isin'));
  const cell = (kind, source) => ({ cell_type: kind, metadata: {}, source, ...(kind === "code" && { execution_count: null, outputs: [] }) });
  const cells = [
    cell("code", '%idle_timeout 60\nloans = spark.table("ref_db.dim_loan")'),
    cell("markdown", "# Loans"),
    cell("code", 'loans.select("loan_di").show()'),
  ];
  const metadata = { language_info: { name: "python" } };
  await writeFile(join(project, "explore.ipynb"), JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }));
}

function vscodeServer(args, stdio) {
  const data = join(shared.folder, "data");
  const all = [
    join(required("VSCODE_SERVER"), "out", "server-main.js"),
    // Without the environment of a login shell, whose PATH is another one.
    ...["--accept-server-license-terms", "--force-disable-user-env"],
    ...["--server-data-dir", join(shared.folder, "server")],
    ...["--user-data-dir", data, "--extensions-dir", join(shared.folder, "extensions")],
    ...args,
  ];
  const env = { ...process.env, HOME: shared.folder, PATH: join(shared.folder, "bin") + delimiter + process.env.PATH };
  const child = spawn(process.execPath, all, { env, stdio });
  const finished = once(child, "exit").then(([code]) => {
    if (code !== 0) throw new Error(`the VS Code server ended with ${code}`);
  });
  return { process: child, finished };
}

async function until(what, condition) {
  for (let attempt = 0; attempt < PATIENCE / 100; attempt += 1) {
    if (await condition().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come up`);
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run \`cargo xtask test vscode\``);
  return value;
}
