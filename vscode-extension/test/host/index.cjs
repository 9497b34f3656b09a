// What VS Code calls to run the tests of this folder.
const { join } = require("node:path");
const Mocha = require("mocha");

module.exports.run = () =>
  new Promise((resolve, reject) => {
    const mocha = new Mocha({ timeout: 120_000, color: false });
    mocha.addFile(join(__dirname, "features.cjs"));
    mocha.run((failed) => (failed === 0 ? resolve() : reject(new Error(`${failed} tests failed`))));
  });
