import assert from "node:assert/strict";
import { replaceFile } from "./document_file.ts";

Deno.test("a document replaces the one before and leaves nothing else behind", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/session.xml`;
    await replaceFile(path, "a longer first version");
    await replaceFile(path, "second");
    assert.equal(await Deno.readTextFile(path), "second");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["session.xml"]);
    await assert.rejects(replaceFile(`${folder}/none/session.xml`, "x"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
