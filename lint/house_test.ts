import assert from "node:assert/strict";
import plugin from "./house.ts";
import { packages, refuseImport } from "./directions.ts";

// One row for each promise of docs/architecture.md about who may import whom.
const rows = [
  { file: "edge/app.ts", specifier: "#cache", refused: false },
  { file: "edge/app.ts", specifier: "../shield/app.ts", refused: true },
  { file: "edge/app.ts", specifier: "../lib/cache/engine.ts", refused: true },
  { file: "edge/app.ts", specifier: "#flute", refused: true },
  { file: "control/app.ts", specifier: "#cache", refused: true },
  { file: "satellite/app.ts", specifier: "#flute", refused: false },
  { file: "satellite/app.ts", specifier: "#cache", refused: true },
  { file: "lib/cache/engine.ts", specifier: "#flute", refused: true },
  { file: "lib/cache/engine.ts", specifier: "#purge", refused: true },
  { file: "lib/cache/engine.ts", specifier: "#cache", refused: true },
  { file: "lib/cache/engine.ts", specifier: "./age.ts", refused: false },
  { file: "lib/cache/engine.ts", specifier: "../http/mod.ts", refused: true },
  { file: "lib/cache/engine.ts", specifier: "../../edge/app.ts", refused: true },
  { file: "lib/lct/lct.ts", specifier: "#multicast", refused: true },
  { file: "lib/flute/sender.ts", specifier: "#lct", refused: false },
  { file: "lib/proxy/node.ts", specifier: "#nothing", refused: true },
  { file: "lib/proxy/node.ts", specifier: "hono", refused: false },
  { file: "stb/main.ts", specifier: "../demo/main.ts", refused: true },
  { file: "demo/main.ts", specifier: "#flute", refused: false },
  { file: "bench/run.ts", specifier: "../edge/app.ts", refused: false },
];

for (const { file, specifier, refused } of rows) {
  Deno.test(`${file} ${refused ? "may not" : "may"} import ${specifier}`, () => {
    assert.equal(refuseImport(file, specifier) !== undefined, refused);
  });
}

Deno.test("the table names every package of lib/, and only those", () => {
  const folders = [...Deno.readDirSync(new URL("../lib", import.meta.url))];
  const names = folders.filter((entry) => entry.isDirectory).map((entry) => entry.name);
  assert.deepEqual(Object.keys(packages).sort(), names.sort());
});

Deno.test("packages do not import each other in a circle", () => {
  const visit = (name: string, above: readonly string[]): void => {
    assert.ok(!above.includes(name), `circle: ${[...above, name].join(" -> ")}`);
    for (const next of packages[name]) visit(next, [...above, name]);
  };
  for (const name of Object.keys(packages)) visit(name, []);
});

function lint(file: string, source: string): string[] {
  const path = new URL(`../${file}`, import.meta.url).pathname;
  return Deno.lint.runPlugin(plugin, path, source).map((finding) => finding.id);
}

const doc = "/**\n * One idea.\n *\n * @module\n */\n";

Deno.test("the linter reports an import against the direction", () => {
  assert.deepEqual(lint("edge/app.ts", `${doc}import "../shield/app.ts";`), [
    "house/import-direction",
  ]);
  assert.deepEqual(lint("edge/app.ts", `${doc}export * from "#lct";`), ["house/import-direction"]);
  assert.deepEqual(lint("edge/app.ts", `${doc}await import("#lct");`), ["house/import-direction"]);
  assert.deepEqual(lint("edge/app.ts", `${doc}import "#cache";`), []);
});

Deno.test("the linter reports a socket in a codec", () => {
  const source = `${doc}Deno.listenDatagram({ port: 0, transport: "udp" });`;
  assert.deepEqual(lint("lib/lct/header.ts", source), ["house/pure-codecs"]);
  assert.deepEqual(lint("lib/multicast/receiver.ts", source), []);
});

Deno.test("the linter wants a module doc", () => {
  assert.deepEqual(lint("edge/app.ts", "export const a = 1;"), ["house/module-doc"]);
  assert.deepEqual(lint("edge/app_test.ts", "export const a = 1;"), []);
});
