import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeExtTime,
  decodeLctHeader,
  emptyLctHeader,
  encodeExtCenc,
  encodeExtension,
  encodeExtFdt,
  encodeExtTime,
  encodeLctHeader,
  type LctForm,
  type LctRejection,
  listExtensions,
  smallestForm,
} from "./mod.ts";

/** A header of 12 bytes, TSI 1 and TOI 2, with the extension bytes after it. */
function withExtensions(...extensions: number[]): Uint8Array {
  const words = 3 + Math.ceil(extensions.length / 4);
  return Uint8Array.from([0x10, 0x10, words, 0, 0, 0, 0, 0, 0, 1, 0, 2, ...extensions]);
}

const rejected: { what: string; packet: Uint8Array; want: LctRejection }[] = [
  { what: "nothing", packet: new Uint8Array(), want: "truncated" },
  { what: "three bytes", packet: Uint8Array.of(0x10, 0x10, 3), want: "truncated" },
  { what: "HDR_LEN past the end", packet: withExtensions().subarray(0, 11), want: "truncated" },
  { what: "version 0", packet: new Uint8Array(12), want: "bad_version" },
  { what: "version 2", packet: Uint8Array.of(0x20, 0x10, 1, 0), want: "bad_version" },
  { what: "no room for CCI", packet: Uint8Array.of(0x10, 0, 1, 0), want: "header_too_short" },
  {
    what: "no room for TOI",
    packet: Uint8Array.of(0x10, 0x30, 3, 0, 0, 0, 0, 0, 0, 1, 0, 2),
    want: "header_too_short",
  },
  { what: "HEL 0", packet: withExtensions(64, 0, 0, 0), want: "extension_empty" },
  { what: "HEL past the header", packet: withExtensions(64, 2, 0, 0), want: "extension_overrun" },
];

for (const { what, packet, want } of rejected) {
  Deno.test(`a packet with ${what} is ${want}`, () => {
    assert.equal(decodeLctHeader(packet), want);
  });
}

const forms: { tsi: number; toi?: number | bigint; want: LctForm }[] = [
  { tsi: 0, toi: 0, want: { s: 0, o: 0, h: 1 } },
  { tsi: 65_535, toi: 65_535, want: { s: 0, o: 0, h: 1 } },
  { tsi: 65_536, toi: 1, want: { s: 1, o: 1, h: 0 } },
  { tsi: 1, toi: 65_536, want: { s: 1, o: 1, h: 0 } },
  { tsi: 1, toi: 2 ** 32 - 1, want: { s: 1, o: 1, h: 0 } },
  { tsi: 1, toi: 2 ** 32, want: { s: 1, o: 2, h: 0 } },
  { tsi: 2 ** 32, toi: 1, want: { s: 1, o: 0, h: 1 } },
  { tsi: 2 ** 32, toi: 2 ** 32, want: { s: 1, o: 1, h: 1 } },
  { tsi: 1, toi: 2n ** 96n, want: { s: 0, o: 3, h: 1 } },
  { tsi: 2 ** 48 - 1, toi: 2n ** 112n - 1n, want: { s: 1, o: 3, h: 1 } },
  { tsi: 9, want: { s: 1, o: 0, h: 0 } },
];

for (const { tsi, toi, want } of forms) {
  Deno.test(`TSI ${tsi} and TOI ${toi} are written as S=${want.s} O=${want.o} H=${want.h}`, () => {
    assert.deepEqual(smallestForm(tsi, toi), want);
    const fields = { tsi, toi, codepoint: 0, closeSession: true };
    const header = decodeLctHeader(encodeLctHeader(fields));
    assert.ok(typeof header !== "string");
    assert.deepEqual([header.tsi, header.toi], [tsi, toi]);
  });
}

/** Any header that there can be: a form, and values that fit it. */
const anyHeader = fc.record({
  form: fc.record({
    s: fc.constantFrom(0 as const, 1 as const),
    o: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
    h: fc.constantFrom(0 as const, 1 as const),
  }).filter(({ s, h }) => s + h > 0),
  tsi: fc.bigInt({ min: 0n, max: 2n ** 48n - 1n }),
  toi: fc.bigInt({ min: 0n, max: 2n ** 112n - 1n }),
  codepoint: fc.nat(255),
  psi: fc.nat(3),
  closeSession: fc.boolean(),
  closeObject: fc.boolean(),
  cciWords: fc.integer({ min: 1, max: 4 }),
  contents: fc.array(fc.tuple(fc.nat(255), fc.uint8Array({ minLength: 40, maxLength: 40 })), {
    maxLength: 5,
  }),
});

Deno.test("every header that can be written is read back", () => {
  const into = emptyLctHeader();
  fc.assert(fc.property(anyHeader, (any) => {
    const { form } = any;
    const tsi = Number(BigInt.asUintN(32 * form.s + 16 * form.h, any.tsi));
    const toiBits = 32 * form.o + 16 * form.h;
    const toi = BigInt.asUintN(toiBits, any.toi);
    const extensions = any.contents.map(([type, bytes]) =>
      encodeExtension(type, bytes.subarray(0, type < 128 ? 4 * (type % 9) + 2 : 3))
    );
    const closeSession = any.closeSession || toiBits === 0;
    const packet = encodeLctHeader({
      ...any,
      tsi,
      toi: toiBits === 0 ? undefined : toi,
      closeSession,
      cci: new Uint8Array(4 * any.cciWords),
      extensions,
    });
    const header = decodeLctHeader(packet, into);
    assert.equal(header, into);
    assert.equal(into.tsi, tsi);
    const wantToi = toi <= Number.MAX_SAFE_INTEGER ? Number(toi) : toi;
    assert.equal(into.toi, toiBits === 0 ? undefined : wantToi);
    assert.equal(into.headerBytes, packet.length);
    assert.equal(into.cciBytes, 4 * any.cciWords);
    assert.deepEqual(
      [into.codepoint, into.psi, into.closeSession, into.closeObject],
      [any.codepoint, any.psi, closeSession, any.closeObject],
    );
    const listed = listExtensions(packet, into);
    assert.deepEqual(listed.map(({ type, content }) => encodeExtension(type, content)), extensions);
  }));
});

Deno.test("the first of two like extensions counts, the second is noticed", () => {
  const first = encodeExtFdt({ version: 1, instanceId: 5 });
  const second = encodeExtFdt({ version: 1, instanceId: 6 });
  const extensions = [encodeExtCenc(3), first, second];
  const header = decodeLctHeader(encodeLctHeader({ tsi: 1, toi: 0, codepoint: 0, extensions }));
  assert.ok(typeof header !== "string");
  assert.equal(header.cencOffset, 12);
  assert.equal(header.fdtOffset, 16);
  assert.equal(header.repeatedExtensions, 1);
});

Deno.test("EXT_TIME keeps each part, and refuses what does not add up", () => {
  const uint32 = fc.option(fc.nat(2 ** 32 - 1), { nil: undefined });
  const time = fc.record({
    sentNtpSeconds: uint32,
    sentNtpFraction: uint32,
    residualMs: uint32,
    lastChangedNtpSeconds: uint32,
  }).filter((t) => t.sentNtpFraction === undefined || t.sentNtpSeconds !== undefined);
  fc.assert(fc.property(time, (told) => {
    assert.deepEqual(decodeExtTime(encodeExtTime(told), 0), { ...told });
  }));
  assert.equal(decodeExtTime(Uint8Array.of(2, 1, 0x80, 0), 0), undefined);
  assert.equal(decodeExtTime(Uint8Array.of(2, 2, 0x40, 0, 0, 0, 0, 0), 0), undefined);
  assert.throws(() => encodeExtTime({ sentNtpFraction: 1 }), RangeError);
});

const wrong: { what: string; encode: () => Uint8Array }[] = [
  {
    what: "a TSI of 49 bits",
    encode: () => encodeLctHeader({ tsi: 2 ** 48, toi: 1, codepoint: 0 }),
  },
  { what: "a negative TOI", encode: () => encodeLctHeader({ tsi: 1, toi: -1, codepoint: 0 }) },
  {
    what: "a TOI of 113 bits",
    encode: () => encodeLctHeader({ tsi: 1, toi: 2n ** 112n, codepoint: 0 }),
  },
  { what: "half a TOI", encode: () => encodeLctHeader({ tsi: 1, toi: 0.5, codepoint: 0 }) },
  { what: "no TOI on an open session", encode: () => encodeLctHeader({ tsi: 1, codepoint: 0 }) },
  { what: "a codepoint of 256", encode: () => encodeLctHeader({ tsi: 1, toi: 1, codepoint: 256 }) },
  { what: "PSI 4", encode: () => encodeLctHeader({ tsi: 1, toi: 1, codepoint: 0, psi: 4 }) },
  {
    what: "CCI of 5 bytes",
    encode: () => encodeLctHeader({ tsi: 1, toi: 1, codepoint: 0, cci: new Uint8Array(5) }),
  },
  {
    what: "a form too small for its TOI",
    encode: () =>
      encodeLctHeader({ tsi: 1, toi: 65_536, codepoint: 0, form: { s: 0, o: 0, h: 1 } }),
  },
  {
    what: "1024 bytes of header",
    encode: () => {
      const extensions = Array(253).fill(encodeExtCenc(0));
      return encodeLctHeader({ tsi: 1, toi: 1, codepoint: 0, extensions });
    },
  },
  { what: "an extension of 5 bytes", encode: () => encodeExtension(64, new Uint8Array(3)) },
  { what: "a long extension of one word", encode: () => encodeExtension(192, new Uint8Array(7)) },
  {
    what: "an instance ID of 21 bits",
    encode: () => encodeExtFdt({ version: 1, instanceId: 2 ** 20 }),
  },
  { what: "FLUTE version 16", encode: () => encodeExtFdt({ version: 16, instanceId: 0 }) },
];

for (const { what, encode } of wrong) {
  Deno.test(`${what} cannot be encoded`, () => {
    assert.throws(encode, { name: "RangeError", message: /^Cannot encode .*: received / });
  });
}

Deno.test("decodeLctHeader() never throws on random bytes", () => {
  const bytes = fc.uint8Array({ maxLength: 80 });
  const likely = fc.tuple(fc.nat(3), fc.nat(255), fc.nat(25), bytes)
    .map(([c, sizes, words, rest]) => Uint8Array.from([0x10 | (c << 2), sizes, words, 0, ...rest]));
  fc.assert(
    fc.property(fc.oneof(bytes, likely), (packet) => {
      const header = decodeLctHeader(packet);
      if (typeof header === "string") return;
      assert.ok(header.headerBytes <= packet.length);
      assert.ok(header.extensionsOffset <= header.headerBytes);
      for (const { content } of listExtensions(packet, header)) assert.ok(content.length < 1020);
      if (header.timeOffset) decodeExtTime(packet, header.timeOffset);
    }),
    { numRuns: 2000 },
  );
});
