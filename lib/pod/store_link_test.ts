import assert from "node:assert/strict";
import { type StoreExchange, StoreLink } from "./store_link.ts";

Deno.test("a store that is away is left alone, once for all who asked it together", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const told: StoreExchange[] = [];
  const url = new URL(`http://127.0.0.1:${port}`);
  const link = new StoreLink({
    url,
    secret: "a secret of the test",
    restMs: 500,
    onExchange: (exchange) => told.push(exchange),
  });
  const looks = Array.from({ length: 20 }, () => link.look("/e/-/a", {}));
  assert.deepEqual(await Promise.all(looks), Array(20).fill(undefined));
  assert.deepEqual(told.map(({ result }) => result), Array(20).fill("away"));
  assert.ok(link.resting);
  await link.look("/e/-/a", {});
  assert.equal(told.at(-1)?.result, "resting");
  await new Promise((resolve) => setTimeout(resolve, 550));
  assert.ok(!link.resting, "after one rest, not after twenty doublings");
  link.close();
});
