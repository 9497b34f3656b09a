/** Tables and jobs as a graph, and where they stand. */

import type { Told } from "../lineage";
import type { Contract, Job, Place } from "../project";

export interface Node {
  id: string;
  kind: "table" | "job";
  label: string;
  state: "plain" | "passed" | "failed" | "active";
  x: number;
  y: number;
  job: Job | undefined;
  contract: Contract | undefined;
  writers: Use[];
  readers: Use[];
}

/** A job's use of a table. */
export interface Use {
  job: Job;
  place: Place;
  columns: string[];
}

export interface Edge {
  source: string;
  target: string;
}

export interface Graph {
  nodes: Map<string, Node>;
  edges: Edge[];
}

const WIDTH = 240;
const HEIGHT = 44;

/** The graph of what is told, from left to right: a table, the jobs that read it, the tables that they write. */
export function graph({ jobs, contracts, active }: Told): Graph {
  const nodes = new Map<string, Node>();
  const edges = new Map<string, Edge>();
  const contractOf = new Map(contracts.map((contract) => [`${contract.root}\n${contract.table}`, contract]));
  const table = (root: string, name: string): Node => {
    const id = `${root}\n${name}`;
    const known = nodes.get(id);
    if (known !== undefined) return known;
    const contract = contractOf.get(id);
    const failed = contract?.lastRun?.failed.length ?? 0;
    const state = contract?.lastRun == null ? "plain" : failed > 0 ? "failed" : "passed";
    const made: Node = { ...blank(id, "table", name), state, contract };
    nodes.set(id, made);
    return made;
  };
  const connect = (source: string, target: string): void => void edges.set(`${source}\n${target}`, { source, target });
  for (const job of jobs) {
    if (job.reads.length + job.writes.length === 0) continue;
    const node: Node = { ...blank(job.uri, "job", job.name), state: job.uri === active ? "active" : "plain", job };
    nodes.set(node.id, node);
    for (const { table: name, range, columns } of job.reads) {
      const read = table(job.root, name);
      read.readers.push({ job, place: { uri: job.uri, range }, columns });
      connect(read.id, node.id);
    }
    for (const { table: name, range, columns } of job.writes) {
      const written = table(job.root, name);
      written.writers.push({ job, place: { uri: job.uri, range }, columns });
      connect(node.id, written.id);
    }
  }
  place(nodes, [...edges.values()]);
  return { nodes, edges: [...edges.values()] };
}

/** What is at most so many steps up or down from a node, placed anew. */
export function around({ nodes, edges }: Graph, center: string, steps: number): Graph {
  const kept = new Set([center]);
  const walk = (from: "source" | "target", to: "source" | "target"): void => {
    let reached = new Set([center]);
    for (let step = 0; step < steps; step += 1) {
      reached = new Set(edges.filter((edge) => reached.has(edge[from])).map((edge) => edge[to]));
      for (const id of reached) kept.add(id);
    }
  };
  walk("source", "target");
  walk("target", "source");
  const part = new Map([...nodes].filter(([id]) => kept.has(id)).map(([id, node]) => [id, { ...node }]));
  const within = edges.filter(({ source, target }) => kept.has(source) && kept.has(target));
  place(part, within);
  return { nodes: part, edges: within };
}

function blank(id: string, kind: Node["kind"], label: string): Node {
  return { id, kind, label, state: "plain", x: 0, y: 0, job: undefined, contract: undefined, writers: [], readers: [] };
}

/**
 * Layers from left to right, each as far right as its longest path, its nodes near those that they are connected with
 * (the barycenter heuristic of Sugiyama, Tagawa and Toda 1981). Long edges are not routed around nodes: with that,
 * layout libraries take ten seconds and more for a lake of 1,000 jobs.
 */
function place(nodes: Map<string, Node>, edges: Edge[]): void {
  const after = new Map<string, string[]>();
  const before = new Map<string, string[]>();
  for (const { source, target } of edges) {
    push(after, source, target);
    push(before, target, source);
  }
  const layers: string[][] = [];
  for (const [id, depth] of depths(nodes, after)) (layers[depth] ??= []).push(id);
  order(layers, before, after);

  // A layer of more nodes than fit on a screen takes several columns.
  const rows = Math.max(12, Math.ceil(Math.sqrt(nodes.size) * 2));
  let column = 0;
  for (const layer of layers) {
    const columns = Math.max(1, Math.ceil(layer.length / rows));
    const height = Math.ceil(layer.length / columns);
    for (const [index, id] of layer.entries()) {
      const node = nodes.get(id);
      if (node === undefined) continue;
      node.x = (column + Math.floor(index / height)) * WIDTH;
      node.y = ((index % height) - (height - 1) / 2) * HEIGHT;
    }
    column += columns;
  }
}

function push(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** The longest way to each node. An edge that closes a circle, as of a job that reads what it writes, does not count. */
function depths(nodes: Map<string, Node>, after: Map<string, string[]>): Map<string, number> {
  const finished: string[] = [];
  const state = new Map<string, "open" | "done">();
  const back = new Set<string>();
  for (const root of nodes.keys()) {
    const stack = state.has(root) ? [] : [{ id: root, next: 0 }];
    if (stack.length > 0) state.set(root, "open");
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { id } = top;
      const target = after.get(id)?.[top.next++];
      if (target === undefined) {
        state.set(id, "done");
        finished.push(id);
        stack.pop();
      } else if (state.get(target) === "open") {
        back.add(`${id}\n${target}`);
      } else if (!state.has(target)) {
        state.set(target, "open");
        stack.push({ id: target, next: 0 });
      }
    }
  }
  const depth = new Map<string, number>();
  for (const id of finished.reverse()) {
    const own = depth.get(id) ?? 0;
    depth.set(id, own);
    for (const target of after.get(id) ?? []) {
      if (!back.has(`${id}\n${target}`)) depth.set(target, Math.max(depth.get(target) ?? 0, own + 1));
    }
  }
  return depth;
}

const SWEEPS = 4;

/** Orders each layer by where its neighbours stand, to and fro. */
function order(layers: string[][], before: Map<string, string[]>, after: Map<string, string[]>): void {
  const rank = new Map<string, number>();
  const note = (layer: string[]): void => {
    for (const [index, id] of layer.entries()) rank.set(id, (index + 0.5) / layer.length);
  };
  for (const layer of layers) {
    layer.sort();
    note(layer);
  }
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const [neighbours, inOrder] = sweep % 2 === 0 ? [before, layers] : [after, [...layers].reverse()];
    for (const layer of inOrder) {
      const center = new Map(layer.map((id) => [id, mean(neighbours.get(id), rank) ?? rank.get(id) ?? 0]));
      layer.sort((a, b) => (center.get(a) ?? 0) - (center.get(b) ?? 0));
      note(layer);
    }
  }
}

function mean(ids: string[] | undefined, rank: Map<string, number>): number | undefined {
  if (ids === undefined || ids.length === 0) return undefined;
  return ids.reduce((sum, id) => sum + (rank.get(id) ?? 0), 0) / ids.length;
}
