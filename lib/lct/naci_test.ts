import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeExtNaci, decodeLctHeader, encodeExtNaci, encodeLctHeader } from "./mod.ts";

const number = fc.nat(65_535);
const anyNaci = fc.record({
  nipNetworkId: number,
  nipCarrierId: number,
  nipLinkId: number,
  nipServiceId: number,
  nipStreamProviderName: fc.string({ unit: "binary", maxLength: 60 }),
}, { noNullPrototype: true });

/** The bytes of the layout in TS 103 876 clause 8.7.3, written by hand. */
const golden = {
  naci: {
    nipNetworkId: 1001,
    nipCarrierId: 1,
    nipLinkId: 2,
    nipServiceId: 5001,
    nipStreamProviderName: "SES",
  },
  // deno-fmt-ignore
  bytes: [68, 4, 0x03, 0xe9, 0, 1, 0, 2, 0x13, 0x89, 0, 3, 0x53, 0x45, 0x53, 0],
};

Deno.test("EXT_NACI is written as its layout says, and read back", () => {
  assert.deepEqual([...encodeExtNaci(golden.naci)], golden.bytes);
  assert.deepEqual(decodeExtNaci(Uint8Array.from(golden.bytes), 0), golden.naci);
});

Deno.test("every EXT_NACI that can be written is found in its header and read back", () => {
  fc.assert(fc.property(anyNaci, (naci) => {
    const extensions = [encodeExtNaci(naci)];
    const packet = encodeLctHeader({ tsi: 0, toi: 0, codepoint: 0, extensions });
    const header = decodeLctHeader(packet);
    assert.ok(typeof header !== "string");
    assert.deepEqual(decodeExtNaci(packet, header.naciOffset), naci);
  }));
});

// What a stranger may put there.
const hostile: { what: string; bytes: number[] }[] = [
  { what: "no room for its numbers", bytes: [68, 2, 0, 1, 0, 2, 0, 3] },
  { what: "a name longer than itself", bytes: [68, 3, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1] },
  { what: "a name that is not UTF-8", bytes: [68, 4, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0xff, 0, 0, 0] },
];

for (const { what, bytes } of hostile) {
  Deno.test(`EXT_NACI with ${what} is none`, () => {
    assert.equal(decodeExtNaci(Uint8Array.from(bytes), 0), undefined);
  });
}

Deno.test("decodeExtNaci() never throws, whatever stands in a header", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 4, maxLength: 80 }), (bytes) => {
    const words = 3 + Math.floor(bytes.length / 4);
    const packet = Uint8Array.from([0x10, 0x10, words, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...bytes]);
    packet[12] = 68;
    const header = decodeLctHeader(packet);
    if (typeof header !== "string") decodeExtNaci(packet, header.naciOffset);
  }));
});

Deno.test("what does not fit EXT_NACI is refused", () => {
  const wrong = [
    { ...golden.naci, nipServiceId: 65_536 },
    { ...golden.naci, nipLinkId: -1 },
    { ...golden.naci, nipCarrierId: 0.5 },
    { ...golden.naci, nipStreamProviderName: "é".repeat(128) },
  ];
  for (const naci of wrong) assert.throws(() => encodeExtNaci(naci), RangeError);
});
