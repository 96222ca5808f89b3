/**
 * `deno run -A bench/conformance/run.ts [--through edge,shield] [--all]`: the public HTTP cache conformance
 * suite through our edge as a plain reverse proxy, or through edge and shield; beside nginx, Varnish and
 * Traffic Server where they are installed (not with `--through`). Prints how many cases each passes; with
 * `--all` also each case that ours fails, and why.
 *
 * @module
 */

import {
  type Server,
  startEdge,
  startNginx,
  startShield,
  startTrafficServer,
  startVarnish,
} from "../peers/servers.ts";
import { disputed } from "./disputed.ts";
import { type CaseResult, startSuite, suiteFlags, suiteVersion } from "./suite.ts";

type Start = (origin: string) => Promise<Server>;

const flags = suiteFlags;
const edge: Start = (origin) => startEdge(origin, { flags });

/** The edge in front of a shield, as one cache. */
const edgeAndShield: Start = async (origin) => {
  const shield = await startShield(origin, { flags });
  const front = await edge(shield.url);
  const stop = () => front.stop().then(() => shield.stop());
  return { ...front, name: "downlink-edge, downlink-shield", stop };
};

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function isInstalled(binary: string): Promise<boolean> {
  const found = await new Deno.Command("sh", { args: ["-c", `command -v ${binary}`] }).output();
  return found.success;
}

async function caches(): Promise<[ours: Start, ...peers: Start[]]> {
  const through = Deno.args[Deno.args.indexOf("--through") + 1];
  if (Deno.args.includes("--through")) {
    if (through === "edge") return [edge];
    if (through === "edge,shield") return [edgeAndShield];
    throw new Error(`Cannot run: need --through edge or edge,shield: received ${through}`);
  }
  const peers: [binary: string, start: Start][] = [
    ["nginx", startNginx],
    ["varnishd", startVarnish],
    ["traffic_server", startTrafficServer],
  ];
  const starts: Start[] = [];
  for (const [binary, start] of peers) if (await isInstalled(binary)) starts.push(start);
  return [edge, ...starts];
}

function passed(results: readonly CaseResult[], kind: string): string {
  const ofKind = results.filter((one) => one.kind === kind);
  return `${ofKind.filter(({ failure }) => failure === undefined).length} of ${ofKind.length}`;
}

const [ours, ...peers] = await caches();
const suite = await startSuite();
try {
  print(`http-cache-tests ${suiteVersion}\n`);
  print("| cache | required | optional | checks |");
  print("| --- | ---: | ---: | ---: |");
  const lines: string[] = [];
  for (const start of [ours, ...peers]) {
    const server = await start(suite.origin);
    try {
      const results = await suite.run(server.url);
      const counts = ["required", "optimal", "check"].map((kind) => passed(results, kind));
      print(`| ${server.name} | ${counts.join(" | ")} |`);
      if (start !== ours) continue;
      for (const { id, kind, failure } of results) {
        if (kind === "check" || failure === undefined) continue;
        lines.push(`${kind} ${id}: ${failure} (${disputed[id] ?? "NOT KNOWN"})`);
      }
    } finally {
      await server.stop();
    }
  }
  if (Deno.args.includes("--all")) { for (const line of lines) print(line); }
} finally {
  await suite.stop();
}
