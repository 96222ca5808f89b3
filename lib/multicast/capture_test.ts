import assert from "node:assert/strict";
import fc from "fast-check";
import { type CapturedDatagram, readCapture, writeCapture } from "./mod.ts";

const datagrams: CapturedDatagram[] = [
  {
    timeMs: 1_795_000_000_123,
    from: { host: "10.0.0.1", port: 40_000 },
    to: { host: "239.255.30.1", port: 5001 },
    payload: Uint8Array.of(1, 2, 3),
  },
  {
    timeMs: 1_795_000_000_124,
    from: { host: "10.0.0.1", port: 40_000 },
    to: { host: "10.0.0.2", port: 9 },
    payload: new Uint8Array(0),
  },
];

Deno.test("a written capture reads back", () => {
  assert.deepEqual(readCapture(writeCapture(datagrams)), datagrams);
});

Deno.test("a capture cut anywhere gives the datagrams before the cut", () => {
  const file = writeCapture(datagrams);
  for (let end = 24; end < file.length; end++) {
    const read = readCapture(file.subarray(0, end));
    assert.ok(Array.isArray(read));
    assert.deepEqual(read, datagrams.slice(0, read.length));
    assert.ok(read.length < datagrams.length);
  }
});

Deno.test("readCapture() never throws on random bytes", () => {
  const starts = ["", "a1b2c3d4", "d4c3b2a1", "0a0d0d0a000000204d3c2b1a"].map((hex) =>
    Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16))
  );
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(fc.constantFrom(...starts), bytes, (start, rest) => {
      const read = readCapture(Uint8Array.from([...start, ...rest]));
      assert.ok(Array.isArray(read) || read === "unknown_format");
    }),
    { numRuns: 500 },
  );
});
