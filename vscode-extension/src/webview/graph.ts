/** Tables and jobs as a graph, and where they stand. */

import { coordGreedy, decrossTwoLayer, graphConnect, layeringLongestPath, sugiyama, twolayerGreedy } from "d3-dag";

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

function blank(id: string, kind: Node["kind"], label: string): Node {
  return { id, kind, label, state: "plain", x: 0, y: 0, job: undefined, contract: undefined, writers: [], readers: [] };
}

/** Layers from left to right. Heuristics, so that 2,000 nodes take about a second. */
function place(nodes: Map<string, Node>, edges: Edge[]): void {
  // A job that reads what it writes would be a cycle of two, which says nothing of where it stands.
  const seen = new Set(edges.map(({ source, target }) => `${source}\n${target}`));
  const forward = edges.filter(({ source, target }) => !(source > target && seen.has(`${target}\n${source}`)));
  if (forward.length === 0) return;
  const laidOut = graphConnect()(forward.map(({ source, target }): [string, string] => [source, target]));
  const layout = sugiyama()
    .layering(layeringLongestPath())
    .decross(decrossTwoLayer().order(twolayerGreedy()).passes(4))
    .coord(coordGreedy())
    .nodeSize([HEIGHT, WIDTH]);
  layout(laidOut);
  for (const { data, x, y } of laidOut.nodes()) {
    const node = nodes.get(data);
    if (node !== undefined) Object.assign(node, { x: y, y: x });
  }
}
