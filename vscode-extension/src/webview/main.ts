/** Runs in the panel: draws the graph, and lists what is chosen. */

import cytoscape from "cytoscape";

import type { Told } from "../lineage";
import type { Place } from "../project";
import { around, type Graph, graph, type Node, type Use } from "./graph";

declare function acquireVsCodeApi(): { postMessage(message: "ready" | Place): void };

const host = acquireVsCodeApi();
const element = (id: string): HTMLElement => document.getElementById(id) ?? document.body;
const search = element("search") as HTMLInputElement;
const MAX_LISTED = 50;
/** Of a graph of more nodes, what is around the chosen one is shown alone. */
const MAX_WHOLE = 120;
/** To the tables before a job, and to those behind the jobs that read what it writes. */
const STEPS = 3;

let shown: Graph = { nodes: new Map(), edges: [] };
let chosen: string | undefined;
const picture = cytoscape({ container: element("picture"), minZoom: 0.03, maxZoom: 2.5, autoungrabify: true });
restyle();

window.addEventListener("message", ({ data }: MessageEvent<Told>) => {
  draw(graph(data));
});
search.addEventListener("input", list);
picture.on("tap", "node", ({ target }: cytoscape.EventObjectNode) => {
  choose(target.id());
});
// VS Code says by the class of the body which theme is on.
new MutationObserver(restyle).observe(document.body, { attributes: true, attributeFilter: ["class"] });
host.postMessage("ready");

function draw(next: Graph): void {
  const isSame = next.nodes.size === shown.nodes.size && [...next.nodes.keys()].every((id) => shown.nodes.has(id));
  shown = next;
  document.body.dataset["nodes"] = String(next.nodes.size);
  list();
  const active = [...next.nodes.values()].find(({ state }) => state === "active")?.id;
  const isKnown = chosen !== undefined && next.nodes.has(chosen);
  const center = isKnown ? chosen : next.nodes.size > MAX_WHOLE ? active : undefined;
  if (center === undefined) render(next, !isSame);
  else choose(center);
}

function render({ nodes, edges }: Graph, fits: boolean): void {
  picture.batch(() => {
    picture.elements().remove();
    picture.add([...nodes.values()].map(({ id, kind, label, state, x, y }) => ({ data: { id, kind, label, state }, position: { x, y } })));
    picture.add(edges.map(({ source, target }) => ({ data: { source, target } })));
  });
  if (fits) picture.fit(undefined, 30);
  if (picture.zoom() > 1) picture.zoom({ level: 1, position: { x: 0, y: 0 } }).center();
}

/** The nodes that the search finds, as buttons: what the picture shows is reached by the keyboard too. */
function list(): void {
  const wanted = search.value.toLowerCase();
  const found = [...shown.nodes.values()].filter(({ label }) => label.toLowerCase().includes(wanted));
  found.sort((a, b) => a.label.localeCompare(b.label));
  const items = found.slice(0, MAX_LISTED).map(({ id, label }) => item(label, () => {
    choose(id);
  }));
  const rest = found.length - MAX_LISTED;
  element("found").replaceChildren(...items, ...(rest > 0 ? [text("p", `and ${rest} more`)] : []));
  if (shown.nodes.size === 0) element("found").replaceChildren(text("p", "No job reads or writes a table yet."));
}

/** Shows what a node is and what it hangs together with; the rest fades, or is left out of a large graph. */
function choose(id: string): void {
  const node = shown.nodes.get(id);
  if (node === undefined) return;
  const isLarge = shown.nodes.size > MAX_WHOLE;
  if (isLarge) render(around(shown, id, STEPS), true);
  else if (picture.getElementById(id).empty()) render(shown, true);
  chosen = id;
  const drawn = picture.getElementById(id);
  const related = drawn.union(drawn.predecessors()).union(drawn.successors());
  picture.elements().removeClass("chosen").addClass("dimmed");
  related.removeClass("dimmed");
  drawn.addClass("chosen");
  if (!isLarge) picture.animate({ center: { eles: drawn }, duration: 150 });
  const all = item("Show everything", () => {
    chosen = undefined;
    render(shown, true);
    element("details").replaceChildren();
  });
  element("details").replaceChildren(...(node.kind === "job" ? jobDetails(node) : tableDetails(node)), all);
}

function jobDetails({ label, job }: Node): HTMLElement[] {
  if (job === undefined) return [];
  const uses = (title: string, tables: typeof job.reads): HTMLElement[] =>
    section(title, tables.map(({ table, range }) => item(table, () => {
      host.postMessage({ uri: job.uri, range });
    })));
  return [text("h2", label), ...uses("Reads", job.reads), ...uses("Writes", job.writes)];
}

function tableDetails({ label, contract, writers, readers }: Node): HTMLElement[] {
  const uses = (title: string, jobs: Use[]): HTMLElement[] =>
    section(title, jobs.map(({ job, place }) => item(job.name, () => {
      host.postMessage(place);
    })));
  const columns = new Map<string, string[]>();
  for (const { job, columns: named } of readers) {
    for (const column of named) columns.set(column, [...(columns.get(column) ?? []), job.name]);
  }
  const used = [...columns].sort().map(([column, jobs]) => {
    const line = text("li", `${column} · ${jobs.length === 1 ? (jobs[0] ?? "") : `${jobs.length} jobs`}`);
    line.title = jobs.join("\n");
    return line;
  });
  const run = contract?.lastRun;
  const tested = run == null ? "never tested here" : `${run.passed} passed, ${run.failed.length} failed on ${run.date}`;
  return [
    text("h2", label),
    text("p", contract === undefined ? "No contract." : `${contract.rules.length} rules, ${tested}.`),
    ...section("Failed", (run?.failed ?? []).map((test) => text("li", test))),
    ...uses("Written by", writers),
    ...uses("Read by", readers),
    ...section("Columns that are used", used),
  ];
}

function section(title: string, items: HTMLElement[]): HTMLElement[] {
  if (items.length === 0) return [];
  const all = document.createElement("ul");
  all.append(...items);
  return [text("h3", title), all];
}

function item(label: string, action: () => void): HTMLElement {
  const button = text("button", label);
  button.addEventListener("click", action);
  const line = document.createElement("li");
  line.append(button);
  return line;
}

function text(name: "h2" | "h3" | "p" | "li" | "button", content: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = content;
  return made;
}

/** The picture in the colours of the theme. */
function restyle(): void {
  const styles = getComputedStyle(document.body);
  const color = (name: string, otherwise: string): string => styles.getPropertyValue(`--vscode-${name}`).trim() || otherwise;
  const foreground = color("editor-foreground", "#cccccc");
  const line = color("editorIndentGuide-activeBackground1", color("descriptionForeground", "#888888"));
  const style: cytoscape.StylesheetJson = [
    {
      selector: "node",
      style: {
        label: "data(label)",
        shape: "round-rectangle",
        width: 200,
        height: 28,
        color: foreground,
        "font-size": 12,
        "font-family": styles.fontFamily,
        "text-valign": "center",
        "text-halign": "center",
        "text-wrap": "ellipsis",
        "text-max-width": "185px",
        "min-zoomed-font-size": 5,
        "background-color": color("editorWidget-background", "#252526"),
        "border-width": 1,
        "border-color": line,
      },
    },
    { selector: 'node[kind = "job"]', style: { shape: "round-tag", "background-color": color("badge-background", "#4d4d4d"), color: color("badge-foreground", "#ffffff") } },
    { selector: 'node[state = "passed"]', style: { "border-color": color("testing-iconPassed", "#73c991"), "border-width": 2 } },
    { selector: 'node[state = "failed"]', style: { "border-color": color("testing-iconFailed", "#f14c4c"), "border-width": 3 } },
    { selector: 'node[state = "active"]', style: { "border-color": color("focusBorder", "#007fd4"), "border-width": 3 } },
    { selector: "edge", style: { width: 1.2, "line-color": line, "target-arrow-color": line, "target-arrow-shape": "triangle", "curve-style": "bezier" } },
    { selector: ".chosen", style: { "border-color": color("focusBorder", "#007fd4"), "border-width": 4 } },
    { selector: ".dimmed", style: { opacity: 0.2 } },
  ];
  picture.style(style);
}
