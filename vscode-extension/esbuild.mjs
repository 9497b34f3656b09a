// Bundles the extension into the file that VS Code loads, and the picture of lineage into the one that its panel loads.
import { copyFile, mkdir } from "node:fs/promises";

import { build } from "esbuild";

// Extensions that read TOML complete and explain the settings by it.
await mkdir("dist", { recursive: true });
await copyFile("../schemas/settings.schema.json", "dist/settings.schema.json");

const shared = {
  bundle: true,
  minify: process.argv.includes("--minify"),
  sourcemap: !process.argv.includes("--minify"),
};
await build({
  ...shared,
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  platform: "node",
  format: "cjs",
  target: "node18",
  external: ["vscode"],
});
await build({
  ...shared,
  entryPoints: ["src/webview/main.ts"],
  outfile: "dist/lineage.js",
  platform: "browser",
  format: "iife",
  target: "chrome114",
});
