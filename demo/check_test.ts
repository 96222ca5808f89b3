import assert from "node:assert/strict";

Deno.test("deno task demo --check holds", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("main.ts", import.meta.url).pathname, "--check"],
    cwd: new URL("..", import.meta.url),
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(code, 0, `${decode(stdout)}\n${decode(stderr)}`);
});
