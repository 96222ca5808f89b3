/**
 * `deno run -A bench/eviction/published.ts`: hit ratios on published traces, ours beside those of
 * Caffeine's simulator on the same requests and sizes. The simulator and the traces come together as
 * one package from Maven Central (about 100 MB, kept in Maven's own cache); nothing is stored here.
 * Needs `mvn`, `java`, `unzip` and `xz`.
 *
 * @module
 */

import { gunzipSync } from "node:zlib";
import { policies } from "./policies.ts";

const artifact = "com.github.ben-manes.caffeine:simulator:3.2.0";
const folder = "com/github/benmanes/caffeine/cache/simulator/parser";

/** A trace of the simulator: its format, its file there, and how we read it. */
interface Published {
  readonly what: string;
  readonly format: string;
  readonly file: string;
  readonly read: (bytes: Uint8Array) => Uint32Array;
}

const traces: readonly Published[] = [
  {
    what: "CloudPhysics w106, block reads",
    format: "cloud-physics",
    file: "cloud_physics/w106.trace.xz",
    read: integers,
  },
  {
    what: "cache2k web12, web pages",
    format: "cache2k",
    file: "cache2k/web12.trace.xz",
    read: integers,
  },
  {
    what: "cache2k orm-busy, database",
    format: "cache2k",
    file: "cache2k/orm-busy.trace.xz",
    read: integers,
  },
  { what: "LIRS multi3, file system", format: "lirs", file: "lirs/multi3.trace.gz", read: lines },
  { what: "LIRS sprite, file system", format: "lirs", file: "lirs/sprite.trace.gz", read: lines },
  { what: "LIRS 2_pools, synthetic", format: "lirs", file: "lirs/2_pools.trace.gz", read: lines },
];
const shares = [0.01, 0.1, 0.3];
/** Ours, and what the simulator calls the same. */
const compared = [
  { ours: "LRU", theirs: "linked.Lru" },
  { ours: "SIEVE", theirs: "linked.Sieve" },
  { ours: "S3-FIFO", theirs: "two-queue.S3Fifo" },
];
const theirsAlone = ["sketch.WindowTinyLfu", "opt.Clairvoyant"];

/** 32-bit identifiers one after the other; their order of bytes does not matter to a cache. */
function integers(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.slice().buffer, 0, bytes.length >> 2);
}

/** A number in each line; others separate runs. */
function lines(bytes: Uint8Array): Uint32Array {
  const text = new TextDecoder().decode(bytes).split("\n");
  return Uint32Array.from(text.filter((line) => /^\d+\s*$/.test(line)), Number);
}

async function run(command: string, ...args: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  if (success) return stdout;
  const said = new TextDecoder().decode(stderr.length > 0 ? stderr : stdout);
  throw new Error(`Cannot run ${command}: need it to succeed: received ${said.slice(-500)}`);
}

/** Fetches the simulator; returns what Java needs to run it, its own package first. */
async function classPath(): Promise<readonly string[]> {
  const dir = await Deno.makeTempDir({ prefix: "downlink-bench-" });
  const [group, name, version] = artifact.split(":");
  const excluded = "<groupId>org.glassfish.jaxb</groupId><artifactId>*</artifactId>";
  try {
    await Deno.writeTextFile(
      `${dir}/pom.xml`,
      `<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId>
      <version>1</version><dependencies><dependency><groupId>${group}</groupId>
      <artifactId>${name}</artifactId><version>${version}</version><exclusions>
      <exclusion>${excluded}</exclusion></exclusions></dependency></dependencies></project>`,
    );
    const goal = "dependency:build-classpath";
    await run("mvn", "-q", "-f", `${dir}/pom.xml`, goal, `-Dmdep.outputFile=${dir}/path`);
    const jars = (await Deno.readTextFile(`${dir}/path`)).trim().split(":");
    const first = ["/simulator-", "/fastutil-core-"]; // an older fastutil is among the others
    return jars.toSorted((a, b) => rank(b, first) - rank(a, first));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function rank(jar: string, first: readonly string[]): number {
  return first.some((part) => jar.includes(part)) ? 1 : 0;
}

async function read(jar: string, { file, read }: Published): Promise<Uint32Array> {
  const packed = await run("unzip", "-p", jar, `${folder}/${file}`);
  if (file.endsWith(".gz")) return read(gunzipSync(packed));
  const path = await Deno.makeTempFile({ suffix: ".xz" });
  try {
    await Deno.writeFile(path, packed);
    return read(await run("xz", "-dc", path));
  } finally {
    await Deno.remove(path);
  }
}

/** Hit ratios of the simulator in percent, by policy. */
async function simulate(
  jars: readonly string[],
  { format, file }: Published,
  objects: number,
): Promise<ReadonlyMap<string, number>> {
  const name = file.slice(file.indexOf("/") + 1);
  const settings: Record<string, string> = {
    "files.paths.0": `${format}:${name}`,
    "maximum-size": String(objects),
    "admission.0": "Always",
    "report.format": "csv",
  };
  [...compared.map(({ theirs }) => theirs), ...theirsAlone].forEach((policy, i) => {
    settings[`policies.${i}`] = policy;
  });
  const flags = Object.entries(settings).map(([key, value]) =>
    `-Dcaffeine.simulator.${key}=${value}`
  );
  const main = "com.github.benmanes.caffeine.cache.simulator.Simulator";
  const output = new TextDecoder().decode(
    await run("java", "-cp", jars.join(":"), ...flags, main),
  );
  const rows = output.split("\n").map((line) => line.split(","));
  return new Map(rows.map(([policy, hits]) => [policy.replace(/ .*| \(.*/, ""), Number(hits)]));
}

function play(keys: Uint32Array, name: string, objects: number): number {
  const policy = policies[name](objects);
  let hits = 0;
  for (const key of keys) if (policy.ask(key, 1)) hits++;
  return 100 * hits / keys.length;
}

function print(...cells: readonly string[]): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`| ${cells.join(" | ")} |\n`));
}

const jars = await classPath();
const jar = jars.find((path) => path.includes("/simulator-"))!;
const columns = compared.flatMap(({ ours }) => [`${ours}, ours`, `${ours}, theirs`]);
const heads = [
  "trace",
  "requests",
  "objects",
  "cache",
  ...columns,
  "W-TinyLFU, theirs",
  "best possible",
];
print(...heads);
print(...heads.map(() => "---"));
for (const trace of traces) {
  const keys = await read(jar, trace);
  const objects = new Set(keys).size;
  for (const share of shares) {
    const size = Math.round(share * objects);
    const theirs = await simulate(jars, trace, size);
    const cells = compared.flatMap(({ ours, theirs: name }) => [
      play(keys, ours, size).toFixed(1),
      theirs.get(name)?.toFixed(1) ?? "?",
    ]);
    const alone = theirsAlone.map((name) => theirs.get(name)?.toFixed(1) ?? "?");
    print(trace.what, String(keys.length), String(objects), `${100 * share} %`, ...cells, ...alone);
  }
}
