import assert from "node:assert/strict";
import fc from "fast-check";
import { S3Fifo } from "./s3_fifo.ts";

Deno.test("S3Fifo counts and gives up exactly what was added, in any order of calls", () => {
  const steps = fc.array(fc.oneof(
    fc.record({ act: fc.constant("add" as const), id: fc.nat(30), bytes: fc.nat(100) }),
    fc.record({
      act: fc.constantFrom("touch" as const, "delete" as const),
      id: fc.nat(30),
      bytes: fc.nat(),
    }),
    fc.record({ act: fc.constant("replace" as const), id: fc.nat(30), bytes: fc.nat(100) }),
    fc.record({ act: fc.constant("evict" as const), id: fc.nat(), bytes: fc.nat() }),
  ));
  fc.assert(fc.property(steps, (script) => {
    const order = new S3Fifo<{ id: number }>();
    const model = new Map<number, { value: { id: number }; bytes: number }>();
    for (const { act, id, bytes } of script) {
      const known = model.get(id);
      if (act === "add" && known === undefined) {
        const value = { id };
        order.add(value, { identity: String(id), weightBytes: bytes });
        model.set(id, { value, bytes });
      } else if (act === "replace" && known !== undefined) {
        const value = { id };
        order.replace(known.value, value, bytes);
        model.set(id, { value, bytes });
      } else if (act === "touch" && known !== undefined) order.touch(known.value);
      else if (act === "delete") {
        assert.equal(known !== undefined && order.delete(known.value), model.delete(id));
      } else if (act === "evict") {
        const evicted = order.evict();
        assert.equal(evicted === undefined, model.size === 0);
        if (evicted !== undefined) assert.ok(model.delete(evicted.id));
      }
      const bytesLeft = [...model.values()].reduce((sum, one) => sum + one.bytes, 0);
      assert.deepEqual([order.count, order.weightBytes], [model.size, bytesLeft]);
    }
    assert.deepEqual(
      new Set([...order.values()].map(({ id }) => id)),
      new Set(model.keys()),
    );
  }));
});

Deno.test("S3Fifo takes what comes back after it left straight to the main queue", () => {
  const order = new S3Fifo<string>();
  const add = (value: string) => order.add(value, { identity: value[0], weightBytes: 10 });
  add("a1");
  assert.equal(order.evict(), "a1");
  add("a2");
  for (const value of ["b1", "c1", "d1"]) add(value);
  assert.deepEqual([order.evict(), order.evict(), order.evict()], ["b1", "c1", "d1"]);
  assert.equal(order.evict(), "a2");
});
