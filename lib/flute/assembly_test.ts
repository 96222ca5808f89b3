import assert from "node:assert/strict";
import fc from "fast-check";
import { blockSymbols, partition } from "#fec";
import { Assembly } from "./assembly.ts";
import { noise } from "./channel_for_tests.ts";

/** An object, and its symbols by name with the bytes of each. */
function symbolsOf(body: Uint8Array, symbolBytes: number, most: number) {
  const cut = partition(body.length, symbolBytes, most);
  const symbols: { sbn: number; esi: number; payload: Uint8Array }[] = [];
  for (let sbn = 0; sbn < cut.blocks; sbn++) {
    for (let esi = 0; esi < blockSymbols(cut, sbn); esi++) {
      const start = symbols.length * symbolBytes;
      symbols.push({ sbn, esi, payload: body.subarray(start, start + symbolBytes) });
    }
  }
  return { cut, symbols };
}

const anyObject = fc.record({
  bytes: fc.integer({ min: 0, max: 2000 }),
  symbolBytes: fc.integer({ min: 1, max: 60 }),
  most: fc.integer({ min: 1, max: 50 }),
  keys: fc.array(fc.nat(1000), { minLength: 60, maxLength: 60 }),
  lost: fc.nat(9),
});

Deno.test("symbols in any order, repeated and lost, then repaired, make the object", () => {
  fc.assert(fc.property(anyObject, ({ bytes, symbolBytes, most, keys, lost }) => {
    const body = noise(bytes);
    const { cut, symbols } = symbolsOf(body, symbolBytes, most);
    const assembly = new Assembly(cut);
    const arriving = symbols
      .filter((_, i) => keys[i % keys.length] % 10 >= lost)
      .flatMap((symbol, i) => keys[i % keys.length] % 3 ? [symbol] : [symbol, symbol])
      .sort((a, b) => keys[(a.esi * 7 + a.sbn) % 60] - keys[(b.esi * 7 + b.sbn) % 60]);
    const seen = new Set<number>();
    for (const { sbn, esi, payload } of arriving) {
      const offset = payload.byteOffset;
      assert.equal(
        assembly.put(sbn, esi, Uint8Array.from([9, ...payload]), 1),
        seen.has(offset) ? "duplicate" : "stored",
      );
      seen.add(offset);
    }
    const holes = assembly.holes();
    const missing = holes.reduce((sum, [start, end]) => sum + end - start, 0);
    assert.equal(assembly.receivedBytes, bytes - missing);
    assert.equal(assembly.contiguousBytes, holes[0]?.[0] ?? bytes);
    assert.equal(assembly.complete, missing === 0);
    for (const [start, end] of holes) assembly.fill(start, body.slice(start, end));
    assert.ok(assembly.complete);
    assert.deepEqual(assembly.holes(), []);
    assert.deepEqual(assembly.body, body);
    assert.equal(assembly.contiguousBytes, bytes);
  }));
});

Deno.test("a repair that comes in chunks cut anywhere counts whole, two at a time too", () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 2, maxLength: 30 });
  fc.assert(fc.property(cuts, cuts, (first, second) => {
    const body = noise(2000);
    const assembly = new Assembly(partition(body.length, 64, 8));
    const repairs = [
      { at: 0, end: 1024, cuts: first, turn: 0 },
      { at: 1024, end: 2000, cuts: second, turn: 0 },
    ];
    while (repairs.some(({ at, end }) => at < end)) {
      for (const repair of repairs) {
        const next = Math.min(
          repair.end,
          repair.at + repair.cuts[repair.turn++ % repair.cuts.length],
        );
        assembly.fill(repair.at, body.slice(repair.at, next));
        repair.at = next;
      }
    }
    assert.ok(assembly.complete);
    assert.deepEqual(assembly.body, body);
    assert.equal(assembly.receivedBytes, body.length);
  }));
});

Deno.test("fill() never overwrites what came by packet", () => {
  const body = noise(100);
  const { cut, symbols } = symbolsOf(body, 10, 4);
  const assembly = new Assembly(cut);
  const { sbn, esi, payload } = symbols[3];
  assembly.put(sbn, esi, payload.slice(), 0);
  assert.equal(assembly.fill(0, new Uint8Array(100)), 90);
  assert.deepEqual(assembly.body.slice(30, 40), body.slice(30, 40));
});

Deno.test("several symbols in one packet are taken, a padded last one too", () => {
  const body = noise(95);
  const assembly = new Assembly(partition(95, 10, 64));
  assert.equal(assembly.put(0, 0, body.slice(0, 30), 0), "stored");
  assert.equal(assembly.put(0, 2, body.slice(20, 40), 0), "stored");
  assert.equal(assembly.receivedBytes, 40);
  assert.equal(assembly.put(0, 7, body.slice(70, 95), 0), "stored");
  assert.equal(assembly.put(0, 9, new Uint8Array(10), 0), "duplicate");
  assert.deepEqual(assembly.holes(), [[40, 70]]);
  const padded = new Assembly(partition(95, 10, 64));
  assert.equal(padded.put(0, 9, Uint8Array.from([...body.slice(90), 0, 0, 0, 0, 0]), 0), "stored");
  assert.equal(padded.receivedBytes, 5);
});

Deno.test("a payload that does not fit its place is refused", () => {
  const assembly = new Assembly(partition(95, 10, 4));
  assert.equal(assembly.put(0, 4, new Uint8Array(10), 0), "bad_payload_id");
  assert.equal(assembly.put(3, 0, new Uint8Array(10), 0), "bad_payload_id");
  assert.equal(assembly.put(0, 0, new Uint8Array(9), 0), "bad_payload_length");
  assert.equal(assembly.put(0, 0, new Uint8Array(11), 0), "bad_payload_length");
  assert.equal(assembly.put(2, 2, new Uint8Array(20), 0), "bad_payload_length");
  assert.equal(assembly.put(2, 0, new Uint8Array(40), 0), "bad_payload_length");
  assert.equal(assembly.receivedBytes, 0);
});
