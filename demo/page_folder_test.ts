import assert from "node:assert/strict";
import { makePageFolder } from "./page_folder.ts";

Deno.test("the page's copy is whole and names the control address", async () => {
  const parent = await Deno.makeTempDir();
  try {
    await makePageFolder(`${parent}/page`, "http://127.0.0.1:1");
    const read = (name: string) => Deno.readTextFile(`${parent}/page/${name}`);
    assert.deepEqual(JSON.parse(await read("demo.json")), { control: "http://127.0.0.1:1" });
    const page = new URL("../stb/page/", import.meta.url);
    for (const name of ["index.html", "page.js", "vendor/mpegts.js/mpegts.js"]) {
      assert.equal(await read(name), await Deno.readTextFile(new URL(name, page)));
    }
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});
