import assert from "node:assert/strict";
import { readTokenFile } from "./token_file.ts";

Deno.test("a token file holds a token and nothing else, or is refused in one sentence", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "  0123456789abcdef\n");
  assert.equal(readTokenFile(file, "--token-file"), "0123456789abcdef");
  for (const text of ["", "short", "0123456789 abcdef", "0123456789abcdéf"]) {
    await Deno.writeTextFile(file, text);
    assert.throws(
      () => readTokenFile(file, "--token-file"),
      /^BadValue: Cannot use --token-file: need 16 or more visible characters in .*: received \d+$/,
    );
  }
  await Deno.remove(file);
  assert.throws(() => readTokenFile(file, "--x"), /Cannot use --x: need a readable file: received/);
});
