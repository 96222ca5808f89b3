import assert from "node:assert/strict";
import { encodeLctHeader } from "#lct";
import { defaultFluteLimits } from "./limits.ts";
import { Allowance } from "./allowance.ts";
import { FluteSender } from "./sender.ts";
import { fdtDocument, fdtPacket, Listener, noise, startMs } from "./channel_for_tests.ts";

Deno.test("an allowance is what is there at once, then so much in each second", () => {
  const allowance = new Allowance(100, 50, startMs);
  assert.equal(allowance.take(101), false);
  assert.equal(allowance.take(100), true);
  assert.equal(allowance.take(1), false);
  allowance.at(startMs + 1000);
  assert.equal(allowance.take(51), false);
  assert.equal(allowance.take(50), true);
  allowance.at(startMs - 5000); // a clock that steps back
  assert.equal(allowance.take(1), false);
  allowance.at(startMs + 3_600_000);
  assert.equal(allowance.take(100), true);
  assert.equal(allowance.take(1), false);
});

/** An FDT with one file under an erasure code, as a stranger describes it. */
function coded(
  { id = 6, bytes, symbolBytes, more }: {
    id?: number;
    bytes: number;
    symbolBytes: number;
    more: string;
  },
): Uint8Array {
  const oti = `FEC-OTI-FEC-Encoding-ID="${id}" FEC-OTI-Encoding-Symbol-Length="${symbolBytes}"`;
  const file = `TOI="1" Content-Location="a" Transfer-Length="${bytes}" ${oti} ${more}`;
  return fdtPacket(fdtDocument(file));
}

/** `Z`, `N` and `Al` of RaptorQ (RFC 6330 §3.3.3). */
function blocks(count: number): string {
  const specific = btoa(String.fromCharCode(count, 0, 1, 1));
  return `FEC-OTI-Scheme-Specific-Info="${specific}"`;
}

/** A packet with some symbols from one on. */
function symbols(esi: number, payload: Uint8Array, codepoint = 6): Uint8Array {
  const header = encodeLctHeader({ tsi: 10, toi: 1, codepoint });
  return Uint8Array.from([...header, 0, esi >> 16, (esi >> 8) & 255, esi & 255, ...payload]);
}

const rs = (most: number) =>
  `FEC-OTI-Maximum-Source-Block-Length="${most}" FEC-OTI-Max-Number-of-Encoding-Symbols="255"`;
const strangers = [
  {
    what: "a RaptorQ block of 56,403 symbols of one byte",
    file: { bytes: 56_403, symbolBytes: 1, more: blocks(1) },
    why: "fec_block_too_large",
  },
  {
    what: "a RaptorQ block of 150 MB",
    file: { bytes: 150_000_000, symbolBytes: 65_000, more: blocks(1) },
    why: "fec_block_too_large",
  },
  {
    what: "a Reed-Solomon block of large symbols",
    file: { id: 5, bytes: 8_000_000, symbolBytes: 65_000, more: rs(128) },
    why: "fec_block_too_large",
  },
  {
    what: "sixteen million blocks of one byte",
    file: { id: 5, bytes: 2 ** 24, symbolBytes: 1, more: rs(1) },
    why: "bad_fec_parameters",
  },
];
for (const { what, file, why } of strangers) {
  Deno.test(`${what} is refused as ${why} before anything is kept`, () => {
    const listener = new Listener();
    listener.hear([coded(file), symbols(60_000, new Uint8Array(file.symbolBytes), file.id)]);
    assert.deepEqual(listener.of("refused").map((event) => event.why), [why]);
    assert.equal(listener.receiver.heldBytes, 0);
  });
}

Deno.test("the blocks that our sender makes by default are taken, whatever the size", () => {
  for (const encodingId of [5, 6]) {
    const sender = new FluteSender({ tsi: 10, encodingId });
    const toi = sender.add(
      { contentLocation: "a", body: new Uint8Array(100 * 2 ** 20) },
      startMs,
    );
    const listener = new Listener();
    listener.hear(sender.fdtPackets(startMs));
    for (const packet of sender.objectPackets(toi)) {
      listener.hear([packet]);
      break;
    }
    assert.equal(listener.of("object_started").length, 1, `FEC ${encodingId}`);
  }
});

Deno.test("decoding above the allowance waits, and is done when time allows", async () => {
  const sender = new FluteSender({ tsi: 10, encodingId: 6, symbolBytes: 100 });
  const bodies = [1, 2, 3].map((seed) => noise(10_000, seed)); // 550,000 octets of work each
  const tois = bodies.map((body, at) => sender.add({ contentLocation: `${at}`, body }, startMs));
  const limits = { maxFecBlockWork: 600_000, maxFecWorkPerSecond: 600_000 };
  const listener = new Listener({ limits });
  listener.hear(sender.fdtPackets(startMs));
  for (const toi of tois) {
    listener.hear([...sender.objectPackets(toi, { repairShare: 0.2 })].slice(10));
  }
  assert.equal(listener.of("complete").length, 2);
  const waiting = listener.last("object_started");
  assert.equal(waiting.complete, false);
  listener.wait(1000);
  assert.equal(listener.of("complete").length, 3);
  assert.deepEqual(await waiting.content(), bodies[2]);
});

Deno.test("FDTs that change faster than anybody needs are passed over, and read when repeated", () => {
  const listener = new Listener({ limits: { maxFdtBytesPerSecond: 20_000 } });
  const document = (n: number) =>
    fdtDocument(...Array.from(
      { length: 40 },
      (_, at) => `TOI="${at + 1}" Content-Location="${n}/${at}" Transfer-Length="9"`,
    ));
  const storm = Array.from({ length: 500 }, (_, n) => fdtPacket(document(n), { instanceId: n }));
  listener.hear(storm);
  const read = listener.of("fdt").length;
  assert.ok(read >= 5 && read < 20, `${read} of 500`);
  assert.equal(listener.count("fdt_too_often"), 500 - read);
  listener.wait(2000);
  listener.hear([storm[499]]);
  assert.equal(listener.of("fdt").at(-1)?.instanceId, 499);
});

Deno.test("an FDT of nothing but tags is refused before it is parsed", () => {
  const listener = new Listener();
  const many = "<a/>".repeat(defaultFluteLimits.maxFdtTags);
  listener.hear([fdtPacket(`<FDT-Instance Expires="4294967000">${many}</FDT-Instance>`)]);
  assert.equal(listener.count("fdt_too_large"), 1);
});
