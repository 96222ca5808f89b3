/**
 * Which part of the tree may import which: the import direction of docs/architecture.md as a table.
 *
 * @module
 */

/** The lib packages that each lib package may import. A package that is not listed may not exist. */
export const packages: Readonly<Record<string, readonly string[]>> = {
  bucket: ["http"],
  build: [],
  cache: ["http"],
  config: [],
  dvbi: ["xml"],
  fec: [],
  flute: ["fec", "lct", "xml"],
  hls: [],
  http: [],
  http1: ["http"],
  kafka: ["config", "purge"],
  lct: [],
  log: [],
  mabr: ["xml"],
  metrics: [],
  multicast: [],
  nip: ["mabr", "xml"],
  notice: ["purge"],
  pod: ["cache", "http", "http1", "upstream"],
  program: ["build", "config", "http", "http1", "log", "metrics", "purge", "topology"],
  proxy: [
    "bucket",
    "build",
    "cache",
    "config",
    "http",
    "http1",
    "kafka",
    "log",
    "metrics",
    "pod",
    "program",
    "purge",
    "topology",
    "upstream",
  ],
  purge: ["http"],
  rigs: ["http", "s3"],
  s3: ["cache", "http", "upstream"],
  topology: ["http"],
  upstream: ["cache", "http", "http1"],
  xml: [],
};

const satelliteRoad = ["dvbi", "fec", "flute", "lct", "mabr", "multicast", "nip"];

/** The lib packages that each program must not know. */
export const programs: Readonly<Record<string, readonly string[]>> = {
  cli: ["cache", "kafka", "program", "proxy", "purge", "upstream", ...satelliteRoad],
  control: ["cache", "proxy", "upstream", ...satelliteRoad],
  edge: satelliteRoad,
  satellite: ["cache", "proxy"],
  shield: satelliteRoad,
  stb: ["proxy"],
};

/** Folders that use the code; nothing imports them. */
export const users: readonly string[] = ["bench", "demo", "docs", "infra", "k8s", "lint", "tools"];

/** Files with sockets, timers or disks in a package of pure codecs would break its promise. */
export const codecs: readonly string[] = [
  "dvbi",
  "fec",
  "flute",
  "hls",
  "http",
  "lct",
  "mabr",
  "nip",
  "xml",
];

/**
 * Returns why a file may not import a module, or `undefined` when it may.
 *
 * @param file Path of the importing file from the root of the tree, with `/`.
 * @param specifier The module as written.
 */
export function refuseImport(file: string, specifier: string): string | undefined {
  const [top, second] = file.split("/");
  const place = top === "lib" ? second : top;
  if (specifier.startsWith(".")) return refuseRelative(file, specifier);
  if (!specifier.startsWith("#")) return undefined;
  const name = specifier.slice(1);
  if (!(name in packages)) return `need a package of lib/: received ${specifier}`;
  if (file.endsWith("_test.ts") || file.endsWith("_rig.ts")) return undefined;
  if (top === "lib" && name === second) return `need ./ within a package: received ${specifier}`;
  if (top === "lib" && !(packages[place] ?? []).includes(name)) {
    return `need one of ${list(packages[place])} in lib/${place}: received ${specifier}`;
  }
  if (programs[place]?.includes(name)) {
    return `need ${place} to stay without it: received ${specifier}`;
  }
  return undefined;
}

function refuseRelative(file: string, specifier: string): string | undefined {
  const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
  const home = homeOf(file);
  if (homeOf(target) === home || target === "deno.json") return undefined;
  const user = users.includes(home);
  if (user && !target.startsWith("lib/")) return undefined;
  if (target.startsWith("lib/")) return `need #name for another package: received ${specifier}`;
  return `need programs and packages to stay apart (${home} and ${
    homeOf(target)
  }): received ${specifier}`;
}

/** The package or program that a path belongs to: `lib/cache` or `edge`. */
function homeOf(path: string): string {
  const [top, second] = path.split("/");
  return top === "lib" ? `lib/${second}` : top;
}

function list(names: readonly string[] = []): string {
  return names.length === 0 ? "no package" : names.map((name) => `#${name}`).join(", ");
}
