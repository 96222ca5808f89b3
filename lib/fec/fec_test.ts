import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  blockBytes,
  blockOf,
  blockSymbols,
  decodeFti,
  decodePayloadId,
  emptyPayloadId,
  encodeFti,
  partition,
  partitionOf,
  raptorQOti,
  reedSolomonOti,
  symbolIndex,
  writePayloadId,
} from "./mod.ts";

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replace(/\s/g, "").match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

// L, E, B, then T, N, A_large, A_small, I.
const worked = [
  [697, 1436, 64, 1, 1, 1, 1, 0],
  [300_000, 1436, 64, 209, 4, 53, 52, 1],
  [5_000_000, 1436, 64, 3482, 55, 64, 63, 17],
  [1_000_000, 1400, 100, 715, 8, 90, 89, 3],
  [66_560, 1024, 64, 65, 2, 33, 32, 1],
  [1_136_001, 1024, 64, 1110, 18, 62, 61, 12],
  [0, 1400, 64, 0, 0, 0, 0, 0],
];

for (const [bytes, symbolBytes, most, ...want] of worked) {
  Deno.test(`partition() of ${bytes} bytes, E=${symbolBytes}, B=${most} (RFC 5052 §9.1)`, () => {
    const cut = partition(bytes, symbolBytes, most);
    const { symbols, blocks, largeSymbols, smallSymbols, largeBlocks } = cut;
    assert.deepEqual([symbols, blocks, largeSymbols, smallSymbols, largeBlocks], want);
  });
}

Deno.test("every symbol has one name, in order, and no other name means a symbol", () => {
  const bytes = fc.integer({ min: 0, max: 3000 });
  const small = fc.integer({ min: 1, max: 40 });
  fc.assert(fc.property(bytes, small, small, (length, symbolBytes, most) => {
    const cut = partition(length, symbolBytes, most);
    let index = 0;
    for (let sbn = 0; sbn < cut.blocks; sbn++) {
      const symbols = blockSymbols(cut, sbn);
      assert.ok(symbols >= 1 && symbols <= most);
      for (let esi = 0; esi < symbols; esi++) assert.equal(symbolIndex(cut, sbn, esi), index++);
      assert.equal(symbolIndex(cut, sbn, symbols), -1);
    }
    assert.equal(index, cut.symbols);
    assert.equal(symbolIndex(cut, cut.blocks, 0), -1);
  }));
});

const sound = { encodingId: 0, transferLength: 1000, symbolBytes: 100, maxSourceBlockSymbols: 4 };
const refused = [
  { what: "another scheme", oti: { encodingId: 1 }, want: "unsupported_fec" },
  { what: "RaptorQ without its own part", oti: { encodingId: 6 }, want: "bad_fec_parameters" },
  {
    what: "RaptorQ symbols scattered in sub-blocks",
    oti: { encodingId: 6, schemeSpecific: Uint8Array.of(1, 0, 2, 4) },
    want: "unsupported_fec",
  },
  {
    what: "RaptorQ symbols that are not aligned",
    oti: { encodingId: 6, schemeSpecific: Uint8Array.of(1, 0, 1, 8) },
    want: "bad_fec_parameters",
  },
  {
    what: "RaptorQ blocks without a symbol",
    oti: { encodingId: 6, schemeSpecific: Uint8Array.of(11, 0, 1, 4) },
    want: "bad_fec_parameters",
  },
  { what: "no symbol length", oti: { symbolBytes: 0 }, want: "bad_fec_parameters" },
  {
    what: "a symbol length above 16 bits",
    oti: { symbolBytes: 65_536 },
    want: "bad_fec_parameters",
  },
  { what: "no block length", oti: { maxSourceBlockSymbols: 0 }, want: "bad_fec_parameters" },
  { what: "half a byte", oti: { transferLength: 0.5 }, want: "bad_fec_parameters" },
  { what: "more than the bound", oti: { transferLength: 1001 }, want: "object_too_large" },
  { what: "a length of 48 bits", oti: { transferLength: 2 ** 48 - 1 }, want: "object_too_large" },
];

for (const { what, oti, want } of refused) {
  Deno.test(`partitionOf() refuses ${what}`, () => {
    assert.equal(partitionOf({ ...sound, ...oti }, 1000), want);
  });
}

Deno.test("partitionOf() refuses what the payload ID cannot name", () => {
  const huge = { encodingId: 0, transferLength: 65_537, symbolBytes: 1 };
  assert.equal(partitionOf({ ...huge, maxSourceBlockSymbols: 1 }, 2 ** 40), "bad_fec_parameters");
  assert.equal(partitionOf({ ...huge, maxSourceBlockSymbols: 1e6 }, 2 ** 40), "bad_fec_parameters");
  assert.ok(typeof partitionOf({ ...huge, maxSourceBlockSymbols: 40_000 }, 2 ** 40) !== "string");
});

// EXT_FTI contents: of rt-libflute and GPAC for ID 0, of syn.pcap for the others.
const contents = [
  {
    id: 0,
    content: "0000000002b9 0000 059c 00000040",
    want: { transferLength: 697, instanceId: 0, symbolBytes: 1436, maxSourceBlockSymbols: 64 },
  },
  {
    id: 5,
    content: "0000000f4240 0578 64 78",
    want: {
      transferLength: 1_000_000,
      symbolBytes: 1400,
      maxSourceBlockSymbols: 100,
      maxEncodingSymbols: 120,
    },
  },
  {
    id: 6,
    content: "00000f4240 00 0578 03 0001 04 0000",
    want: {
      transferLength: 1_000_000,
      symbolBytes: 1400,
      schemeSpecific: Uint8Array.of(3, 0, 1, 4),
    },
  },
  {
    id: 1,
    content: "0000000f4240 0000 0578 0003 01 04",
    want: {
      transferLength: 1_000_000,
      symbolBytes: 1400,
      schemeSpecific: Uint8Array.of(0, 3, 1, 4),
    },
  },
  {
    id: 129,
    content: "0000000f4240 0000 0578 0064 0078",
    want: {
      transferLength: 1_000_000,
      instanceId: 0,
      symbolBytes: 1400,
      maxSourceBlockSymbols: 100,
      maxEncodingSymbols: 120,
    },
  },
  {
    id: 2,
    content: "0000000f4240 08 01 0578 0064 0078",
    want: {
      transferLength: 1_000_000,
      symbolBytes: 1400,
      maxSourceBlockSymbols: 100,
      maxEncodingSymbols: 120,
      schemeSpecific: Uint8Array.of(8, 1),
    },
  },
];

for (const { id, content, want } of contents) {
  Deno.test(`EXT_FTI of FEC encoding ID ${id} is read`, () => {
    assert.deepEqual(decodeFti(id, hex(content)), { encodingId: id, ...want });
    assert.equal(decodeFti(id, hex(content).subarray(1)), undefined);
  });
}

Deno.test("EXT_FTI of Compact No-Code is written as it is read", () => {
  const oti = fc.record({
    encodingId: fc.constant(0),
    transferLength: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    symbolBytes: fc.integer({ min: 1, max: 65_535 }),
    maxSourceBlockSymbols: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    instanceId: fc.nat(65_535),
  });
  fc.assert(fc.property(oti, (any) => {
    assert.deepEqual(decodeFti(0, encodeFti(any)), { ...any });
  }));
  assert.throws(
    () => encodeFti({ ...sound, encodingId: 1 }),
    /FEC encoding ID must be 0, 5 or 6: received 1/,
  );
  assert.throws(() => encodeFti({ ...sound, transferLength: 2 ** 48 }), RangeError);
});

Deno.test("EXT_FTI of Reed-Solomon is written as it is read (RFC 5510 §5.2.3)", () => {
  const oti = fc.record({
    encodingId: fc.constant(5),
    transferLength: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    symbolBytes: fc.integer({ min: 1, max: 65_535 }),
    maxSourceBlockSymbols: fc.integer({ min: 1, max: 170 }),
    maxEncodingSymbols: fc.integer({ min: 170, max: 255 }),
  });
  fc.assert(fc.property(oti, (any) => {
    assert.deepEqual(decodeFti(5, encodeFti(any)), { ...any });
  }));
  const wrong = { ...sound, encodingId: 5, maxSourceBlockSymbols: 200, maxEncodingSymbols: 199 };
  assert.throws(() => encodeFti(wrong), /B and max_n must be 1 to 255, B the lesser: received 200/);
});

Deno.test("Reed-Solomon cuts as RFC 5052 §9.1, with blocks of at most 255 symbols", () => {
  const oti = reedSolomonOti(100_050, 100, 100);
  const cut = partitionOf(oti, 1e6);
  assert.ok(typeof cut !== "string");
  assert.deepEqual([cut.blocks, cut.largeSymbols, cut.smallSymbols], [11, 91, 91]);
  for (const limits of [[256, 256], [100, 99], [0, 255], [100, undefined]]) {
    const [maxSourceBlockSymbols, maxEncodingSymbols] = limits;
    const other = { ...oti, maxSourceBlockSymbols, maxEncodingSymbols };
    assert.equal(partitionOf(other, 1e6), "bad_fec_parameters");
  }
});

const payloadIds = [
  { id: 0, bytes: "00010002", want: { sbn: 1, esi: 2, sourceBlockSymbols: 0, bytes: 4 } },
  { id: 1, bytes: "ffff0002", want: { sbn: 65_535, esi: 2, sourceBlockSymbols: 0, bytes: 4 } },
  { id: 2, bytes: "12345678", want: { sbn: 0x123456, esi: 0x78, sourceBlockSymbols: 0, bytes: 4 } },
  { id: 5, bytes: "12345678", want: { sbn: 0x123456, esi: 0x78, sourceBlockSymbols: 0, bytes: 4 } },
  { id: 6, bytes: "12345678", want: { sbn: 0x12, esi: 0x345678, sourceBlockSymbols: 0, bytes: 4 } },
  {
    id: 129,
    bytes: "12345678 0064 0005",
    want: { sbn: 0x12345678, esi: 5, sourceBlockSymbols: 100, bytes: 8 },
  },
  {
    id: 128,
    bytes: "12345678 f0640005",
    want: { sbn: 0x12345678, esi: 0xf0640005, sourceBlockSymbols: 0, bytes: 8 },
  },
];

for (const { id, bytes, want } of payloadIds) {
  Deno.test(`the payload ID of FEC encoding ID ${id} is read`, () => {
    const packet = hex(`ff ${bytes}`);
    assert.deepEqual(decodePayloadId(id, packet, 1), want);
    assert.equal(decodePayloadId(id, packet, 2), "truncated");
    assert.equal(decodePayloadId(99, packet, 1), "unsupported_fec");
  });
}

Deno.test("a payload ID of Compact No-Code is written as it is read", () => {
  const into = emptyPayloadId();
  fc.assert(fc.property(fc.nat(65_535), fc.nat(65_535), (sbn, esi) => {
    const packet = new Uint8Array(6);
    writePayloadId(packet, 2, { encodingId: 0, sbn, esi });
    assert.equal(decodePayloadId(0, packet, 2, into), into);
    assert.deepEqual(into, { sbn, esi, sourceBlockSymbols: 0, bytes: 4 });
  }));
});

Deno.test("decodeFti() and decodePayloadId() never throw on random bytes", () => {
  fc.assert(
    fc.property(fc.nat(255), fc.uint8Array({ maxLength: 40 }), (id, bytes) => {
      const oti = decodeFti(id, bytes);
      if (oti) partitionOf(oti, 1e9);
      decodePayloadId(id, bytes, 3);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("EXT_FTI of RaptorQ is written as an independent encoder writes it", () => {
  const vectors = [
    [100, 100, 1, 1, "000000006400006401000101"],
    [40_000, 1024, 3, 4, "0000009c4000040003000104"],
    [1_048_576, 1432, 1, 8, "000010000000059801000108"],
  ] as const;
  for (const [transferLength, symbolBytes, z, alignment, want] of vectors) {
    const schemeSpecific = Uint8Array.of(z, 0, 1, alignment);
    const oti = { encodingId: 6, transferLength, symbolBytes, schemeSpecific };
    const content = encodeFti(oti);
    assert.equal(Buffer.from(content.subarray(0, 12)).toString("hex"), want);
    assert.deepEqual(decodeFti(6, content), oti);
  }
});

Deno.test("RaptorQ cuts an object into the blocks that Z says (RFC 6330 §4.4.1.2)", () => {
  const oti = raptorQOti(40_000, 1024, 14);
  assert.deepEqual([...oti.schemeSpecific], [3, 0, 1, 4]);
  const cut = partitionOf(oti, 1e6);
  assert.ok(typeof cut !== "string");
  assert.deepEqual([0, 1, 2, 3].map((sbn) => blockSymbols(cut, sbn)), [14, 13, 13, 0]);
  assert.deepEqual(blockBytes(cut, 2), { start: 27 * 1024, end: 40_000 });
  for (let index = 0; index < cut.symbols; index++) {
    const { sbn, esi } = blockOf(cut, index);
    assert.equal(symbolIndex(cut, sbn, esi), index);
  }
  assert.throws(() => raptorQOti(256 * 1400, 1400, 1), /need 1 to 255 source blocks: received 256/);
});
