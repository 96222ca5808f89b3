import assert from "node:assert/strict";

const root = new URL("../", import.meta.url);
const page = await Deno.readTextFile(new URL("docs/limits.md", root));

/** All source that is no test, as one text. */
async function source(): Promise<string> {
  let text = "";
  const read = async (folder: URL) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await read(new URL(`${name}/`, folder));
      else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) {
        text += await Deno.readTextFile(new URL(name, folder));
      }
    }
  };
  for (const folder of ["lib/", "edge/"]) await read(new URL(folder, root));
  return text;
}

const code = await source();

Deno.test("each file that docs/limits.md names is there", async () => {
  const paths = new Set(page.match(/\b[a-z0-9_/]+\/[a-z0-9_]+\.(?:ts|md)\b/g));
  assert.ok(paths.size > 20);
  for (const path of paths) await Deno.stat(new URL(path, root));
});

Deno.test("each flag, metric and label that docs/limits.md names is in the code", () => {
  const flags = new Set(page.match(/--[a-z]+(?:-[a-z]+)*/g));
  assert.ok(flags.size > 10);
  for (const flag of flags) {
    const setting = flag.slice(2).replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
    assert.match(code, new RegExp(`\\b${setting}: `), flag);
  }
  const metrics = new Set([...page.matchAll(/`M ([a-z_]+)/g)].map(([, name]) => name));
  assert.ok(metrics.size > 8);
  for (const name of metrics) {
    const [, ofCache, rest] = /^(cache_)?(.*)$/.exec(name) ?? [];
    const written = [`}_${name}\``, `"${rest}"`, `${ofCache ?? ""}${rest}\``];
    assert.ok(written.some((text) => code.includes(text)), name);
  }
  const [, disk] = page.split("## The disk");
  const labels = [...page.matchAll(/(?:reason|result)="([a-z_]+)"/g)].map(([, word]) => word);
  for (const [, words] of disk.matchAll(/^\|[^|]*\|[^|]*\|([^|]*)\|/gm)) {
    labels.push(...[...words.matchAll(/`([a-z_]+)`/g)].map(([, word]) => word));
  }
  assert.ok(labels.length > 30);
  for (const label of labels) assert.match(code, new RegExp(`\\b${label}\\b`), label);
});
