import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import "mpegts.js";

const inPackage = dirname(dirname(createRequire(import.meta.url).resolve("mpegts.js")));
const vendored = new URL("page/vendor/mpegts.js/", import.meta.url);

const files = [
  { vendored: "mpegts.js", packaged: "dist/mpegts.js" },
  { vendored: "mpegts.js.LICENSE.txt", packaged: "dist/mpegts.js.LICENSE.txt" },
  { vendored: "LICENSE", packaged: "LICENSE" },
];

for (const file of files) {
  Deno.test(`the page's ${file.vendored} is the one of the npm package`, async () => {
    const ours = await Deno.readFile(new URL(file.vendored, vendored));
    assert.deepEqual(ours, await Deno.readFile(join(inPackage, file.packaged)));
  });
}
