import assert from "node:assert/strict";
import { Child } from "./child.ts";

function child(code: string): Child {
  const args = ["eval", "--quiet", code];
  return new Child({ name: "test", program: Deno.execPath(), args, cwd: Deno.cwd() });
}

Deno.test("a child that ends is known by its code and its last lines", async () => {
  const one = child(`console.log("out"); console.error("err"); Deno.exit(3)`);
  assert.deepEqual(await one.ended, { code: 3, signal: null });
  assert.deepEqual([...one.lastLines].sort(), ["err", "out"]);
  assert.equal(one.running, false);
  assert.equal((await one.stop(1000)).code, 3);
});

Deno.test("a child that drains at SIGTERM ends on its own", async () => {
  const one = child(
    `Deno.addSignalListener("SIGTERM", () => Deno.exit(0)); console.log("up"); setInterval(() => {}, 1000)`,
  );
  while (one.lastLines.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(await one.stop(5000), { code: 0, signal: null });
});

Deno.test("a child that does not drain in time is killed", async () => {
  const one = child(
    `Deno.addSignalListener("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)`,
  );
  while (one.lastLines.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await one.stop(100)).signal, "SIGKILL");
});

Deno.test("a program that is not there is refused in one sentence", () => {
  const command = { name: "none", program: "/nowhere/downlink-edge", args: [], cwd: Deno.cwd() };
  assert.throws(
    () => new Child(command),
    /^Error: Cannot start the demo: need to run \/nowhere\/downlink-edge: received /,
  );
});
