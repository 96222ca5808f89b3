import assert from "node:assert/strict";

const root = new URL("..", import.meta.url);
const pages = ["README.md", "CONTRIBUTING.md", ...filesBelow("docs", ".md")];

/** Paths of the files below a folder that end as told, from the root. */
function filesBelow(folder: string, ending: string): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(new URL(folder, root))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...filesBelow(path, ending));
    else if (path.endsWith(ending)) found.push(path);
  }
  return found;
}

const read = (path: string) => Deno.readTextFileSync(new URL(path, root));

for (const page of pages) {
  Deno.test(`${page} names files that exist`, () => {
    const folder = new URL(page, root);
    const text = read(page);
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, to]) =>
      new URL(to, folder)
    );
    const paths = text.match(
      /\b(lib|edge|shield|control|satellite|stb|tools|lint|bench|demo)\/[\w/.-]*\.(ts|md|sh)\b/g,
    ) ?? [];
    for (const url of [...links, ...paths.map((path) => new URL(path, root))]) {
      assert.ok(Deno.statSync(url), String(url));
    }
  });
}

Deno.test("docs/rfc.md names every RFC and ETSI text that the code cites", () => {
  const page = read("docs/rfc.md");
  const sources = ["lib", "edge", "shield", "control", "satellite", "stb"].flatMap((folder) =>
    filesBelow(folder, ".ts")
  );
  const cited = sources.flatMap((path) =>
    read(path).match(/\b(RFC \d{4}|TS \d{3} \d{3})\b/g) ?? []
  );
  assert.deepEqual([...new Set(cited)].filter((text) => !page.includes(text)), []);
});

Deno.test("docs/architecture.md names every package and program", () => {
  const page = read("docs/architecture.md");
  const packages = [...Deno.readDirSync(new URL("lib", root))].map((entry) => `\`${entry.name}\``);
  const programs = ["edge", "shield", "control", "satellite", "stb"].map((name) => `\`${name}/\``);
  assert.deepEqual([...packages, ...programs].filter((name) => !page.includes(name)), []);
});
