import assert from "node:assert/strict";
import { readCapture } from "#multicast";
import {
  decodeExtCenc,
  decodeExtFdt,
  decodeExtTime,
  decodeLctHeader,
  encodeExtension,
  encodeExtFdt,
  encodeExtTime,
  encodeLctHeader,
  extensionContent,
  extensionTypes,
  type LctForm,
  type LctHeader,
  listExtensions,
} from "./mod.ts";

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replace(/\s/g, "").match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

function decode(packet: Uint8Array): LctHeader {
  const header = decodeLctHeader(packet);
  assert.ok(typeof header !== "string", `rejected: ${header}`);
  return header;
}

/** The sizes that a packet uses. */
function formOf(packet: Uint8Array): LctForm {
  const flags = packet[1];
  return { s: flags >> 7, o: (flags >> 5) & 3, h: (flags >> 4) & 1 } as LctForm;
}

/** What an independent sender wrote, written again by our encoder from what our decoder read. */
function reencode(packet: Uint8Array): Uint8Array {
  const header = decode(packet);
  assert.ok(header.tsi !== undefined);
  return encodeLctHeader({
    tsi: header.tsi,
    toi: header.toi,
    codepoint: header.codepoint,
    psi: header.psi,
    closeSession: header.closeSession,
    closeObject: header.closeObject,
    cci: packet.subarray(4, 4 + header.cciBytes),
    extensions: listExtensions(packet, header)
      .map(({ type, content }) => encodeExtension(type, content)),
    form: formOf(packet),
  });
}

const fluteFdt = "10100800 00000000 0010 0000 c0100002 4004 0000000002b9 0000 059c 00000040";
const gpacFdt = "10100b00 00000000 0001 0000 c0100001 4004 0000000005a4 0000 0588 000005c0" +
  "0203c000 eead5c6c acbbf50d";

// Headers of packets that rt-libflute and GPAC sent.
const golden = [
  { what: "rt-libflute FDT", bytes: fluteFdt, tsi: 16, toi: 0, codepoint: 0, psi: 0 },
  {
    what: "rt-libflute file",
    bytes: "10100300000000000010 0001",
    tsi: 16,
    toi: 1,
    codepoint: 0,
    psi: 0,
  },
  { what: "GPAC FDT", bytes: gpacFdt, tsi: 1, toi: 0, codepoint: 0, psi: 0 },
  {
    what: "GPAC ROUTE signalling",
    bytes: "12a00503 00000000 00000000 00020001 c2000cde",
    tsi: 0,
    toi: 0x20001,
    codepoint: 3,
    psi: 2,
  },
  {
    what: "GPAC ROUTE init segment",
    bytes: "12a00505 00000000 00000014 ffffffff c20002fd",
    tsi: 20,
    toi: 0xffffffff,
    codepoint: 5,
    psi: 2,
  },
];

for (const { what, bytes, ...want } of golden) {
  Deno.test(`the header of a ${what} packet is read and written as its sender did`, () => {
    const packet = hex(bytes);
    const { tsi, toi, codepoint, psi, headerBytes } = decode(packet);
    assert.deepEqual({ tsi, toi, codepoint, psi }, want);
    assert.equal(headerBytes, packet.length);
    assert.deepEqual(reencode(packet), packet);
  });
}

Deno.test("EXT_FDT, EXT_FTI and EXT_TIME of a GPAC packet are read and written", () => {
  const packet = hex(gpacFdt);
  const header = decode(packet);
  const fdt = { version: 1, instanceId: 1 };
  const time = { sentNtpSeconds: 0xeead5c6c, sentNtpFraction: 0xacbbf50d };
  assert.deepEqual(decodeExtFdt(packet, header.fdtOffset), fdt);
  const fti = extensionContent(packet, header.ftiOffset);
  assert.deepEqual(fti, hex("0000000005a4 0000 0588 000005c0"));
  const told = decodeExtTime(packet, header.timeOffset);
  assert.deepEqual({ ...told }, {
    ...time,
    residualMs: undefined,
    lastChangedNtpSeconds: undefined,
  });
  const extensions = [
    encodeExtFdt(fdt),
    encodeExtension(extensionTypes.fti, fti),
    encodeExtTime(time),
  ];
  assert.deepEqual(encodeLctHeader({ tsi: 1, toi: 0, codepoint: 0, extensions }), packet);
});

const vectors = new URL("../../../shared/vectors/lct/", import.meta.url);

/** Headers by size of the captured senders; every packet has to be read. */
const captures = [
  { file: "libflute.pcap", packets: 400 },
  { file: "gpac-boot.pcap", packets: 98 },
  { file: "gpac-svc.pcap", packets: 400 },
  { file: "syn.pcap", packets: 6 },
];

for (const { file, packets } of captures) {
  const bytes = readIfPresent(file);
  Deno.test({
    name: `every header of ${file} is read, and written again byte for byte` +
      (bytes ? "" : " (skipped: ../shared/vectors is not here)"),
    ignore: !bytes,
    fn: () => {
      const datagrams = readCapture(bytes ?? new Uint8Array());
      assert.ok(typeof datagrams !== "string");
      assert.equal(datagrams.length, packets);
      for (const { payload } of datagrams) {
        const header = decode(payload);
        assert.deepEqual(reencode(payload), payload.slice(0, header.headerBytes));
      }
    },
  });
}

const synthetic = readIfPresent("syn.pcap");
Deno.test({
  name: "syn.pcap: every size and extension is read" +
    (synthetic ? "" : " (skipped: ../shared/vectors is not here)"),
  ignore: !synthetic,
  fn: () => {
    const datagrams = readCapture(synthetic ?? new Uint8Array());
    assert.ok(typeof datagrams !== "string");
    const headers = datagrams.map(({ payload }) => decode(payload));
    assert.deepEqual(headers.map((header) => header.codepoint), [5, 6, 1, 129, 0, 0]);
    assert.deepEqual(headers.slice(0, 5).map(({ tsi, toi }) => [tsi, toi]), Array(5).fill([7, 9]));
    const [, , , , flags, wide] = headers;
    assert.deepEqual([flags.closeSession, flags.closeObject], [true, true]);
    const { payload } = datagrams[4];
    assert.equal(decodeExtCenc(payload, flags.cencOffset), 3);
    assert.equal(decodeExtTime(payload, flags.timeOffset)?.sentNtpFraction, 0x80000000);
    assert.deepEqual(listExtensions(payload, flags).map(({ type }) => type), [67, 193, 2]);
    // S=1 O=3 H=1 C=1: 48 bits of TSI, 112 bits of TOI, 8 bytes of CCI.
    assert.deepEqual([wide.cciBytes, wide.tsi, wide.toi], [8, 7, 9]);
  },
});

function readIfPresent(name: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(new URL(name, vectors));
  } catch {
    return undefined;
  }
}
