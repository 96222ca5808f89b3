import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { FluteReceiver } from "#flute";
import { decodeExtNaci, decodeLctHeader, encodeExtNaci } from "#lct";
import { writeCapture } from "#multicast";
import { nipUris, parseServiceInformationFile } from "#nip";
import { AnnouncementFeed } from "./announcement_feed.ts";
import { Broadcast } from "./broadcast.ts";
import { FeedFixture, startWallMs } from "./feed_fixture.ts";
import type { Carriage } from "./gateway_configuration.ts";
import { readInstallation } from "./installation.ts";
import type { Outgoing } from "./planner.ts";

const shipped = await Deno.readTextFile(new URL("headend/nip.json", import.meta.url));
const installation = readInstallation(shipped, "nip.json");
const group = { hostname: "224.0.23.14", port: 3937 };
const naci = {
  nipNetworkId: 1001,
  nipCarrierId: 1,
  nipLinkId: 1,
  nipServiceId: 5001,
  nipStreamProviderName: "Downlink",
};

/** A feed whose packets the test takes, with what is carried in its hands. */
class Announced {
  readonly fixture = new FeedFixture();
  carriage: Carriage | undefined = {
    group: { hostname: "239.255.1.1", port: 5001 },
    bitsPerSecond: 61e6,
    repair: [],
    serviceListKey: "/dvbi/services.xml",
    services: [],
    files: [],
  };
  readonly documents = new Map<string, string>();
  readonly feed: AnnouncementFeed;
  readonly #receiver = new FluteReceiver({
    onEvent: (event) => {
      if (event.kind !== "complete") return;
      const { contentLocation } = event.object.file;
      this.documents.set(contentLocation, new TextDecoder().decode(event.object.body));
    },
  });

  constructor() {
    const { planner, context } = this.fixture;
    const wallMs = () => startWallMs + this.fixture.nowMs;
    const broadcast = new Broadcast({
      planner,
      wallMs,
      fdtAcquisitionMs: 1000,
      listedAfterMs: 6000,
      destination: "announcement",
      extensions: [encodeExtNaci(naci)],
      symbolBytes: 1024,
    });
    const carriage = () => this.carriage;
    this.feed = new AnnouncementFeed({ ...context, broadcast }, {
      installation,
      group,
      carriage,
      wallMs,
    });
  }

  /** Tells the feed that something changed, and takes what is due after it has settled. */
  async change(): Promise<Outgoing[]> {
    this.feed.changed();
    await new Promise((resolve) => setTimeout(resolve, 130));
    return this.take();
  }

  take(): Outgoing[] {
    const sent = this.fixture.send();
    for (const { packet } of sent) {
      this.#receiver.receive(packet, "192.0.2.1", startWallMs + this.fixture.nowMs);
    }
    return sent;
  }
}

Deno.test("the announcement says at once what it has, repeats it, and names itself on each packet", async () => {
  const announced = new Announced();
  const first = await announced.change();
  assert.deepEqual([...announced.documents.keys()].sort(), Object.values(nipUris).sort());
  for (const { packet, destination } of first) {
    assert.equal(destination, "announcement");
    assert.ok(packet.length <= 1400, `${packet.length} bytes`);
    const header = decodeLctHeader(packet);
    assert.ok(typeof header !== "string");
    assert.equal(header.tsi, 0);
    assert.deepEqual(decodeExtNaci(packet, header.naciOffset), naci);
  }
  announced.fixture.nowMs += 1000;
  const again = new Set(
    announced.take().map(({ packet }) => {
      const header = decodeLctHeader(packet);
      return typeof header === "string" ? header : header.toi;
    }),
  );
  assert.equal(again.size, 5, "four documents and the FDT come round within a second");
  announced.feed.stop();
  announced.fixture.nowMs += 60_000;
  assert.deepEqual(announced.take(), []);
});

Deno.test("only a document that says something else gets a new version", async () => {
  const announced = new Announced();
  await announced.change();
  const before = new Map(announced.documents);
  announced.fixture.nowMs += 5000;
  await announced.change();
  announced.take();
  assert.deepEqual(announced.documents, before);

  const files = [{ key: "/vod/film-1.mp4", cycleMs: 3_600_000 }];
  announced.carriage = { ...announced.carriage!, files };
  await announced.change();
  const changed = [...before].filter(([uri, text]) => announced.documents.get(uri) !== text);
  assert.deepEqual(changed.map(([uri]) => uri).sort(), [
    nipUris.bootstrap,
    nipUris.serviceInformationFile,
  ]);
  const sif = parseServiceInformationFile(announced.documents.get(nipUris.serviceInformationFile)!);
  assert.ok(typeof sif !== "string");
  assert.equal(sif.versionUpdateMs, startWallMs + 5000);
  assert.ok(sif.broadcastMediaStreams[0].uris.includes("http://dvb.gw/vod/film-1.mp4"));
  announced.feed.stop();
});

Deno.test("nothing is announced before it is known what is carried", async () => {
  const announced = new Announced();
  announced.carriage = undefined;
  assert.deepEqual(await announced.change(), []);
  announced.feed.stop();
});

const tshark = await findTshark();

Deno.test({
  name: "tshark reads the announcement as we mean it, without a complaint" +
    (tshark ? "" : " (skipped: tshark is not installed)"),
  ignore: !tshark,
  fn: async () => {
    const announced = new Announced();
    const packets = (await announced.change()).map(({ packet }) => packet);
    announced.feed.stop();
    const lines = await dissect(packets);
    const content = Buffer.from(encodeExtNaci(naci).subarray(2)).toString("hex");
    assert.equal(lines.length, packets.length);
    for (const [tsi, toi, contents, complaint] of lines) {
      assert.equal(tsi, "0");
      assert.ok(contents.split(",").includes(content), contents);
      // The FDT has two packets, and tshark reads the XML of each for itself.
      if (toi !== "0") assert.equal(complaint, "");
    }
    assert.equal(new Set(lines.map(([, toi]) => toi)).size, 5);
  },
});

/** TSI, TOI, contents of unknown header extensions, complaints: one line a packet. */
async function dissect(packets: readonly Uint8Array[]): Promise<string[][]> {
  const file = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    const from = { host: "192.0.2.1", port: 40_000 };
    const to = { host: group.hostname, port: group.port };
    const datagrams = packets.map((payload, i) => ({ timeMs: startWallMs + i, from, to, payload }));
    await Deno.writeFile(file, writeCapture(datagrams));
    const fields = ["rmt-lct.tsi", "rmt-lct.toi", "rmt-lct.hec.data", "_ws.expert.message"];
    const { stdout, stderr, success } = await new Deno.Command("tshark", {
      args: [
        ...["-r", file, "-d", `udp.port==${group.port},alc`, "-T", "fields"],
        ...["-E", "separator=|", ...fields.flatMap((field) => ["-e", field])],
      ],
      stdin: "null",
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const text = new TextDecoder().decode(stdout);
    return text.trimEnd().split("\n").map((line) => line.split("|"));
  } finally {
    await Deno.remove(file);
  }
}

async function findTshark(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("tshark", { args: ["--version"] }).output();
    return success;
  } catch {
    return false;
  }
}
