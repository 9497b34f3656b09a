#!/usr/bin/env bash
# usage: vscode-server.sh FOLDER VERSION
# Installs the VS Code server that code-server VERSION packs for npm into FOLDER, from npm alone: install scripts,
# some of which download from elsewhere, stay off, and the native modules that the server loads are built here.
set -euo pipefail
folder=$1
version=$2

cd "$folder"
npm pack --silent "code-server@$version" >/dev/null
tar -xzf "code-server-$version.tgz" --strip-components=3 package/lib/vscode
rm "code-server-$version.tgz"
npm install --ignore-scripts --omit=dev --no-audit --no-fund
(cd extensions && npm install --ignore-scripts --omit=dev --no-audit --no-fund)
npm rebuild @vscode/spdlog @vscode/deviceid native-watchdog
# What fails in node-pty is a step after its build that only its own developers need; the check loads the module.
npm rebuild node-pty || true
# Its own comes from a place that is no registry.
mkdir -p node_modules/@vscode/ripgrep/bin
ln -sf "$(command -v rg)" node_modules/@vscode/ripgrep/bin/rg
