import js from "@eslint/js";
import typescript from "typescript-eslint";

export default typescript.config(
  { ignores: ["dist/", "node_modules/"] },
  js.configs.recommended,
  {
    files: ["src/**/*.ts"],
    extends: [typescript.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: { "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }] },
  },
  {
    files: ["**/*.mjs", "test/**/*.cjs"],
    languageOptions: {
      globals: Object.fromEntries(
        ["after", "before", "console", "describe", "document", "fetch", "it", "module", "process", "require", "setTimeout", "URL", "URLSearchParams", "__dirname"].map(
          (name) => [name, "readonly"],
        ),
      ),
    },
  },
);
