import assert from "node:assert/strict";
import { decodeLctHeader } from "#lct";
import { flutePeerVersion, hasFlutePeer, peerPackets, peerReceives } from "#rigs";
import { FluteReceiver, FluteSender } from "./mod.ts";
import { noise, seeded } from "./channel_for_tests.ts";

const ignore = !hasFlutePeer();
const peer = `the crate ${flutePeerVersion}${ignore ? " (needs cargo)" : ""}`;

/** Files of sizes that leave nothing even. */
const sizes = [1, 1400, 100_000, 300_001];
const files = sizes.map((bytes, at) => ({ name: `file-${at}.bin`, body: noise(bytes, at + 1) }));

/** Loses packets of files, as evenly as a seed does; what lists them comes through. */
function lossy(packets: readonly Uint8Array[], percent: number): Uint8Array[] {
  const random = seeded(9);
  return packets.filter((packet) => {
    const header = decodeLctHeader(packet);
    assert.ok(typeof header !== "string");
    return header.toi === 0 || random() * 100 >= percent;
  });
}

async function inFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "downlink-interop-" });
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const codings = [
  { what: "no code", encodingId: 0, blockSymbols: 64, repairSymbols: 0, loss: 0 },
  { what: "RaptorQ", encodingId: 6, blockSymbols: 64, repairSymbols: 24, loss: 0 },
  { what: "RaptorQ at 15 % loss", encodingId: 6, blockSymbols: 64, repairSymbols: 30, loss: 15 },
];

for (const { what, loss, ...coding } of codings) {
  Deno.test({
    name: `we receive what ${peer} sends: ${what}`,
    ignore,
    async fn() {
      await inFolder(async (dir) => {
        for (const { name, body } of files) await Deno.writeFile(`${dir}/${name}`, body);
        const paths = files.map(({ name }) => `${dir}/${name}`);
        const packets = await peerPackets({ symbolBytes: 1400, ...coding }, paths);
        const got = new Map<string, Promise<unknown>>();
        const problems: string[] = [];
        const receiver = new FluteReceiver({
          onEvent: (event) => {
            if (event.kind === "refused") problems.push(event.why);
            if (event.kind !== "complete") return;
            got.set(event.object.file.contentLocation, event.object.content());
          },
        });
        for (const packet of lossy(packets, loss)) {
          receiver.receive(packet, "192.0.2.9", Date.now());
        }
        assert.deepEqual(problems, []);
        for (const { name, body } of files) {
          assert.deepEqual(await got.get(`http://dvb.gw/${name}`), body, name);
        }
      });
    },
  });

  Deno.test({
    name: `${peer} receives what we send: ${what}`,
    ignore,
    async fn() {
      await inFolder(async (dir) => {
        const { encodingId, blockSymbols: maxSourceBlockSymbols } = coding;
        const sender = new FluteSender({ tsi: 7, encodingId, maxSourceBlockSymbols });
        const packets: Uint8Array[] = [];
        for (const { name, body } of files) {
          const toi = sender.add({ contentLocation: `http://dvb.gw/${name}`, body }, Date.now());
          packets.push(...sender.fdtPackets(Date.now()));
          packets.push(...sender.objectPackets(toi, { repairShare: coding.repairSymbols / 64 }));
        }
        const complaints = await peerReceives(lossy(packets, loss), dir);
        assert.equal(complaints, "");
        for (const { name, body } of files) {
          assert.deepEqual(await Deno.readFile(`${dir}/${name}`), body, name);
        }
      });
    },
  });
}
