import assert from "node:assert/strict";
import fc from "fast-check";
import { filePath, folderReader, mediaType, serveFile } from "./static_files.ts";

// One row for each kind of path that a page or an attacker asks for.
const rows = [
  { path: "", file: "index.html" },
  { path: "app/", file: "app/index.html" },
  { path: "app.js", file: "app.js" },
  { path: "vendor/mpegts-1.8.2.min.js", file: "vendor/mpegts-1.8.2.min.js" },
  { path: "..", file: undefined },
  { path: "../secret", file: undefined },
  { path: "a/../../secret", file: undefined },
  { path: "a/./b", file: undefined },
  { path: "a//b", file: undefined },
  { path: "/etc/passwd", file: undefined },
  { path: ".git/config", file: undefined },
  { path: "a%2e%2e/b", file: undefined },
  { path: "a\\b", file: undefined },
  { path: "C:/x", file: undefined },
  { path: "a\0.html", file: undefined },
  { path: "file:///etc/passwd", file: undefined },
  { path: "a".repeat(600), file: undefined },
];

for (const { path, file } of rows) {
  Deno.test(`filePath() finds ${file ?? "nothing"} at ${JSON.stringify(path.slice(0, 40))}`, () => {
    assert.equal(filePath(path), file);
  });
}

Deno.test("filePath() gives no way up, whatever is asked", () => {
  const base = new URL("file:///srv/page/");
  fc.assert(fc.property(fc.oneof(fc.string(), fc.webPath()), (path) => {
    const file = filePath(path);
    if (file !== undefined) assert.ok(new URL(file, base).pathname.startsWith("/srv/page/"));
  }));
});

Deno.test("mediaType() knows what pages are made of", () => {
  assert.equal(mediaType("index.html"), "text/html; charset=utf-8");
  assert.equal(mediaType("A.JS"), "text/javascript; charset=utf-8");
  assert.equal(mediaType("logo.svg"), "image/svg+xml");
  assert.equal(mediaType("x.constructor"), "application/octet-stream");
  assert.equal(mediaType("README"), "application/octet-stream");
});

Deno.test("serveFile() serves files of the folder and no other", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/page/sub`, { recursive: true });
    await Deno.writeTextFile(`${root}/page/index.html`, "<p>hello");
    await Deno.writeTextFile(`${root}/page-secret`, "secret");
    await Deno.symlink(`${root}/page-secret`, `${root}/page/link.txt`);
    const read = folderReader(new URL(`file://${root}/page`));
    const page = await serveFile("", read);
    assert.equal(page.status, 200);
    assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(await page.text(), "<p>hello");
    for (const path of ["absent.js", "sub", "link.txt", "index.html/x", "../page-secret"]) {
      const answer = await serveFile(path, read);
      assert.equal(answer.status, 404, path);
      assert.match((await answer.json()).error, /^Cannot find the page: no such file: received/);
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
