import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { parseServiceList } from "#dvbi";
import { parseMediaPlaylist } from "#hls";
import { createLogger } from "#log";
import { gatewayConfigurationUri, parseGatewayConfiguration } from "#mabr";
import { createMetrics } from "#metrics";
import { openSender, writeCapture } from "#multicast";
import { PurgeIndex, type PurgeKind } from "#purge";
import type { Protection } from "./broadcast.ts";
import { filesOfFlags, filesOfPlan } from "./carousel_plan.ts";
import type { ConfigurationDocuments } from "./configuration_feed.ts";
import type { PlannedFile } from "./file_carousel.ts";
import { Headend } from "./headend.ts";
import { SlidingOrigin } from "./origin_fixture.ts";
import { RecordingReceiver } from "./receiver_fixture.ts";

/** A headend on the air, with what stands before and behind it. */
interface OnAir {
  readonly origin: SlidingOrigin;
  readonly headend: Headend;
  readonly receiver: RecordingReceiver;
  readonly index: PurgeIndex;
  readonly lines: string[];
  readonly written: ConfigurationDocuments[];
  /** Appends to the purge log, as control would. */
  purge(kind: PurgeKind, value: string, options?: { soft?: boolean }): void;
  /** Publishes a segment and waits until receivers know of it. */
  advance(): Promise<void>;
}

let groups = 0;

async function onAir(
  test: (air: OnAir) => Promise<void>,
  options: {
    bitsPerSecond?: number;
    maxObjectBytes?: number;
    protection?: Protection;
    files?: readonly PlannedFile[];
  } = {},
): Promise<void> {
  const group = `239.255.40.${++groups}`;
  const [origin, receiver] = [new SlidingOrigin(), await RecordingReceiver.open(group)];
  const { port } = receiver;
  const socket = await openSender({ to: { host: group, port }, interface: "127.0.0.1" });
  const index = new PurgeIndex();
  const [lines, written]: [string[], ConfigurationDocuments[]] = [[], []];
  const write = (line: string) => void lines.push(line);
  const headend = new Headend({
    origin: origin.url,
    serviceListKey: "/dvbi/services.xml",
    files: filesOfFlags(["/files/guide.xml"], 60_000),
    refillMs: 1000,
    protection: options.protection ?? { encodingId: 0, share: 0 },
    group: { hostname: group, port },
    bitsPerSecond: 40e6,
    repair: [new URL("http://127.0.0.1:8080")],
    maxObjectBytes: 2 ** 20,
    fetchTimeoutMs: 2000,
    parallelFetches: 4,
    socket,
    purges: index,
    fenced: true,
    writeConfiguration: (documents) => Promise.resolve(void written.push(documents)),
    log: createLogger({
      program: "headend",
      format: "json",
      level: "info",
      write,
      nowMs: Date.now,
    }),
    metrics: createMetrics("headend", "0.0.0", 0),
    ...options,
  });
  let seq = 0;
  headend.start();
  try {
    await test({
      origin,
      headend,
      receiver,
      index,
      lines,
      written,
      purge: (kind, value, { soft = false } = {}) => {
        seq++;
        index.apply({ seq, id: `p${seq}`, kind, value, soft, issuedMs: 0, issuer: "test" });
        headend.recheck();
      },
      advance: async () => {
        origin.newest++;
        const named = (path: string) => newestNamed(receiver, path) === origin.newest;
        await receiver.until(
          `a playlist that names ${origin.newest}`,
          () => playlists.every(named),
        );
      },
    });
  } finally {
    await headend.stop();
    socket.close();
    await receiver.close();
    await origin.close();
  }
}

const playlists = ["/one/index.m3u8", "/one/cmaf/video.m3u8", "/one/cmaf/audio.m3u8"];

/** Number of the newest segment that the newest received version of a playlist names. */
function newestNamed(receiver: RecordingReceiver, path: string): number {
  const text = new TextDecoder().decode(receiver.find(path)?.bytes);
  return Number(/-(\d+)\.\w+\s*$/.exec(text)?.[1] ?? NaN);
}

function received(receiver: RecordingReceiver, path: string): Uint8Array {
  const found = receiver.find(path);
  assert.ok(found, `${path} did not come`);
  return found.bytes;
}

Deno.test("each segment arrives whole and equal, and no playlist comes before its segments", async () => {
  await onAir(async ({ origin, receiver, headend, lines }) => {
    const first = origin.newest - 2;
    await receiver.until("playlists", () => playlists.every((path) => receiver.find(path)));
    for (let n = 0; n < 4; n++) await onePeriod(origin, receiver);
    await receiver.until("a manifest", () => receiver.find("/one/cmaf/manifest.mpd") !== undefined);

    for (let n = first; n <= origin.newest; n++) {
      for (
        const path of [`/one/seg-${n}.ts`, `/one/cmaf/video-${n}.m4s`, `/one/cmaf/audio-${n}.m4s`]
      ) {
        assert.deepEqual(received(receiver, path), origin.bytes(path), path);
      }
    }
    for (
      const init of ["/one/cmaf/video-init.mp4", "/one/cmaf/audio-init.mp4", "/files/guide.xml"]
    ) {
      assert.deepEqual(received(receiver, init), origin.bytes(init), init);
    }
    assertNeverAhead(receiver, first);
    assert.deepEqual([...receiver.fdtTsis].sort((a, b) => a - b), [1, 10, 11, 12]);
    assert.deepEqual(receiver.problems, []);
    assert.deepEqual(headend.status.failures, {
      fetch: {},
      givenUp: {},
      documents: {},
      send: 0,
      open: 0,
    });
    assert.deepEqual(lines, []);
    const fetched = origin.requests.map(({ path }) => path).filter((path) => /-\d+\./.test(path));
    assert.equal(new Set(fetched).size, fetched.length, "a segment was fetched twice");
  });
});

/** Publishes one segment and waits until receivers know of it. */
async function onePeriod(origin: SlidingOrigin, receiver: RecordingReceiver): Promise<void> {
  origin.newest++;
  const known = () => playlists.every((path) => newestNamed(receiver, path) === origin.newest);
  await receiver.until(`playlists that name ${origin.newest}`, known);
}

/** Each playlist and manifest came after the segments from `first` on that it names. */
function assertNeverAhead(receiver: RecordingReceiver, first: number): void {
  const whole = new Set<string>();
  for (const { uri, bytes } of receiver.objects) {
    whole.add(uri);
    if (uri.endsWith(".mpd")) {
      const text = new TextDecoder().decode(bytes);
      const from = Number(/startNumber="(\d+)"/.exec(text)?.[1]);
      const newest = from + Number(/ r="(\d+)"/.exec(text)?.[1]);
      assert.ok(whole.has(`http://dvb.gw/one/cmaf/video-${newest}.m4s`), `${uri} ${newest}`);
    }
    const playlist = playlists.some((path) => uri.endsWith(path)) && parseMediaPlaylist(bytes, uri);
    if (playlist === false) continue;
    assert.ok(typeof playlist !== "string");
    for (const { uri: segment, map } of playlist.segments) {
      if (Number(/-(\d+)\./.exec(segment)?.[1]) < first) continue;
      assert.ok(whole.has(segment), `${uri} came before ${segment}`);
      assert.ok(map === undefined || whole.has(map.uri), `${uri} came before ${map?.uri}`);
    }
  }
}

Deno.test("with RaptorQ every segment comes whole at 8 % loss, without a return path", async () => {
  const protection = { encodingId: 6, share: 0.25 };
  await onAir(async ({ origin, receiver, headend }) => {
    receiver.lossPercent = 8;
    const first = origin.newest - 2;
    await receiver.until("playlists", () => playlists.every((path) => receiver.find(path)));
    for (let n = 0; n < 3; n++) await onePeriod(origin, receiver);
    for (let n = first; n < origin.newest; n++) {
      for (const path of [`/one/seg-${n}.ts`, `/one/cmaf/video-${n}.m4s`]) {
        assert.deepEqual(received(receiver, path), origin.bytes(path), path);
        assert.equal(receiver.find(path)?.file.oti.encodingId, 6, path);
      }
    }
    const { forwardErrorCorrectionParameters: fec } = configured(headend).multicastSessions[0]
      .multicastTransportSessions[0];
    assert.deepEqual(fec, [{
      schemeIdentifier: "urn:ietf:rmt:fec:encoding:6",
      overheadPercentage: 25,
      endpointAddresses: [],
    }]);
  }, { protection });
});

function configured(headend: Headend) {
  const parsed = parseGatewayConfiguration(headend.documents?.full ?? "");
  assert.ok(typeof parsed !== "string");
  return parsed;
}

Deno.test("control's carousel plan comes on the air beside the files of the flags, and leaves", async () => {
  await onAir(async ({ receiver, headend }) => {
    await receiver.until("the file of the flags", () => !!receiver.find("/files/guide.xml"));
    const plan = filesOfPlan(
      [{ path: "/one/cmaf/video-init.mp4", priority: 5, popularity: 9, acquisitionSeconds: 30 }],
      60_000,
    );
    headend.planFiles(plan);
    const paths = () => headend.status.files.map(({ path }) => path);
    await receiver.until("the planned file", () => {
      return headend.status.files.some(({ path, bytes }) => path === plan[0].key && bytes > 0);
    });
    assert.deepEqual(paths(), ["/files/guide.xml", "/one/cmaf/video-init.mp4"]);
    await receiver.until("its latency in the configuration", () => {
      if (headend.documents === undefined) return false;
      const [{ objectCarousel }] =
        configured(headend).multicastGatewayConfigurationTransportSessions;
      return objectCarousel?.resourceLocators.some(({ targetAcquisitionLatencyMs }) =>
        targetAcquisitionLatencyMs === 30_000
      ) === true;
    });
    headend.planFiles([]);
    assert.deepEqual(paths(), ["/files/guide.xml"]);
  });
});

Deno.test("the configuration on the air tells where each part of the service is", async () => {
  await onAir(async ({ receiver, headend, written }) => {
    const complete = () => {
      const full = headend.documents?.full ?? "";
      return ["AdaptationSet", "video.m3u8", "InitSegments"].every((part) =>
        full.toLowerCase().includes(part.toLowerCase())
      );
    };
    await receiver.until("a whole configuration", complete);
    const text = headend.documents?.full ?? "";
    const inBand = () => {
      const object = receiver.objects.findLast(({ uri }) => uri === gatewayConfigurationUri);
      return new TextDecoder().decode(object?.bytes) === text;
    };
    await receiver.until("the configuration in-band", inBand);
    assert.deepEqual(written.at(-1), headend.documents);
    const parsed = parseGatewayConfiguration(text);
    assert.ok(typeof parsed !== "string");
    assert.deepEqual(parsed.remarks, []);
    const [session] = parsed.multicastSessions;
    assert.equal(session.serviceIdentifier, "tag:example.org,2026:one");
    const manifests = session.presentationManifestLocators.map((
      { manifestId, transportObjectURI },
    ) => [manifestId, transportObjectURI]);
    assert.deepEqual(manifests, [
      ["hls-1", "http://dvb.gw/one/index.m3u8"],
      ["hls-2", "http://dvb.gw/one/cmaf/master.m3u8"],
      ["dash-3", "http://dvb.gw/one/cmaf/manifest.mpd"],
    ]);
    const streams = session.multicastTransportSessions.map((one) => [
      one.endpointAddresses[0].mediaTransportSessionIdentifier,
      one.serviceComponentIdentifiers.map(({ type, manifestIdRef }) => `${type} ${manifestIdRef}`),
      one.bitRate?.averageBitsPerSecond,
    ]);
    assert.deepEqual(streams, [
      [10, ["hls hls-1"], undefined],
      [11, ["hls hls-2", "dash dash-3"], 400_000],
      [12, ["hls hls-2", "dash dash-3"], undefined],
    ]);
    const list = parseServiceList(received(receiver, "/dvbi/services.xml"));
    assert.ok(typeof list !== "string");
  });
});

Deno.test("a hard purge drops what it hits, fetches it fenced and sends it under a new TOI", async () => {
  await onAir(async ({ origin, receiver, purge, headend }) => {
    await receiver.until("playlists", () => playlists.every((path) => receiver.find(path)));
    const segment = `/one/seg-${origin.newest}.ts`;
    const [before, playlistBefore] = [receiver.find(segment), receiver.find("/one/index.m3u8")];
    origin.revision = 2;
    const asked = origin.requests.length;
    purge("tag", "one");
    const renewed = () => {
      const [now, playlist] = [receiver.find(segment), receiver.find("/one/index.m3u8")];
      return now?.toi !== before?.toi && playlist?.toi !== playlistBefore?.toi;
    };
    await receiver.until("the segment and playlist again", renewed);
    const [now, playlist] = [receiver.find(segment), receiver.find("/one/index.m3u8")];
    assert.deepEqual(now?.bytes, origin.bytes(segment));
    assert.deepEqual([now?.file.purgeSeq, now?.file.tags], [1, ["one"]]);
    assert.equal(playlist?.file.purgeSeq, 1);
    assert.match(new TextDecoder().decode(playlist?.bytes), /revision 2/);
    await receiver.until("the initialization segment again", () => {
      return receiver.find("/one/cmaf/video-init.mp4")?.file.purgeSeq === 1;
    });
    const fences = origin.requests.slice(asked).filter(({ path }) => path.startsWith("/one/"));
    assert.ok(fences.every(({ purgeSeq }) => purgeSeq === "1"), JSON.stringify(fences));
    assert.ok(headend.status.purge.hit > 0);
    // What the purge did not hit was left alone.
    const guide = receiver.objects.filter(({ uri }) => uri.endsWith("/files/guide.xml"));
    assert.equal(new Set(guide.map(({ toi }) => toi)).size, 1);
    await onePeriod(origin, receiver);
  });
});

Deno.test("a soft purge keeps sending until the new version is there", async () => {
  await onAir(async ({ origin, receiver, purge }) => {
    await receiver.until("the guide", () => receiver.find("/files/guide.xml") !== undefined);
    const before = receiver.find("/files/guide.xml");
    origin.revision = 2;
    purge("url", "/files/guide.xml", { soft: true });
    await receiver.until(
      "the new guide",
      () => receiver.find("/files/guide.xml")?.toi !== before?.toi,
    );
    assert.deepEqual(received(receiver, "/files/guide.xml"), origin.bytes("/files/guide.xml"));
    assert.equal(receiver.find("/files/guide.xml")?.file.purgeSeq, 1);
  });
});

Deno.test("a missing, a too large and a private segment are given up, and the rest goes on", async () => {
  await onAir(async ({ origin, receiver, headend, lines }) => {
    await receiver.until("playlists", () => playlists.every((path) => receiver.find(path)));
    const n = origin.newest;
    origin.faults.set(`/one/seg-${n + 1}.ts`, () => new Response("gone", { status: 404 }));
    origin.faults.set(`/one/seg-${n + 2}.ts`, () => new Response(new Uint8Array(2 ** 20 + 1)));
    const headers = { "cache-control": "private" };
    origin.faults.set(`/one/seg-${n + 3}.ts`, () => new Response("mine", { headers }));
    for (let period = 0; period < 4; period++) await onePeriod(origin, receiver);
    assert.ok(receiver.find(`/one/seg-${n + 4}.ts`));
    for (const missing of [1, 2, 3]) {
      assert.equal(receiver.find(`/one/seg-${n + missing}.ts`), undefined);
    }
    const { givenUp } = headend.status.failures;
    assert.deepEqual(givenUp, { not_found: 1, oversize: 1, private: 1 });
    const sentences = lines.map((line) => JSON.parse(line).message).join("\n");
    assert.match(
      sentences,
      /Cannot send \/one\/seg-\d+\.ts: need the object: received status 404/,
    );
  });
});

Deno.test("a malformed playlist is counted and said once, and the old one stays until it is mended", async () => {
  await onAir(async ({ origin, receiver, headend, lines }) => {
    await receiver.until("playlists", () => playlists.every((path) => receiver.find(path)));
    origin.faults.set("/one/index.m3u8", () => new Response("<html>not found</html>"));
    const rejected = () => (headend.status.failures.documents.not_a_playlist ?? 0) >= 3;
    await receiver.until("a rejection", rejected);
    assert.equal(headend.status.failures.open, 1);
    const about = lines.filter((line) => line.includes("/one/index.m3u8"));
    assert.equal(about.length, 1);
    origin.faults.clear();
    await onePeriod(origin, receiver);
    assert.equal(headend.status.failures.open, 0);
  });
});

Deno.test("with the shield away the carousel goes round, and live goes on when it is back", async () => {
  await onAir(async ({ origin, receiver, headend }) => {
    await receiver.until("playlists", () => playlists.every((path) => receiver.find(path)));
    await origin.close();
    await receiver.until("a failed fetch", () => headend.status.failures.open > 0);
    const packets = headend.status.packets;
    await receiver.until("the carousel", () => headend.status.packets > packets + 20);
    origin.reopen();
    await onePeriod(origin, receiver);
    assert.ok((headend.status.failures.fetch.no_answer ?? 0) > 0);
  });
});

Deno.test("at a rate that live does not fit in, late segments are given up and the edge stays near", async () => {
  await onAir(async ({ origin, receiver, headend, lines }) => {
    await receiver.until("a playlist", () => receiver.find("/one/index.m3u8") !== undefined);
    const started = performance.now();
    const late = () => {
      const due = Math.floor((performance.now() - started) / 200);
      origin.newest = Math.max(origin.newest, 10 + due);
      return (headend.status.failures.givenUp.late ?? 0) >= 6;
    };
    await receiver.until("late segments", late);
    const { queue, lagSeconds } = headend.status;
    assert.ok(queue.items <= 3 * 9, `${queue.items} objects wait`);
    assert.ok(lagSeconds <= 9, `${lagSeconds} s behind`);
    assert.match(lines.join("\n"), /need the object: received newer ones before its turn came/);
    const newest = newestNamed(receiver, "/one/index.m3u8");
    const newer = () => newestNamed(receiver, "/one/index.m3u8") > newest;
    await receiver.until("a newer playlist", newer);
  }, { bitsPerSecond: 2e6 });
});

const tshark = await new Deno.Command("tshark", { args: ["--version"] }).output().catch(() => {});

Deno.test({
  name: "tshark decodes what is on the air without an error",
  ignore: tshark === undefined,
  fn: async () => {
    await onAir(async ({ origin, receiver }) => {
      await receiver.until("playlists", () => playlists.every((path) => receiver.find(path)));
      await onePeriod(origin, receiver);
      const datagrams = receiver.datagrams.slice(); // it goes on receiving
      const rows = await dissect(writeCapture(datagrams), receiver.port);
      assert.equal(rows.length, datagrams.length);
      for (const [tsi, toi, fdtBytes, message, malformed] of rows) {
        assert.ok(["1", "10", "11", "12"].includes(tsi), tsi);
        // Each packet of a longer FDT is taken for a document of its own, which it is not.
        if (toi !== "0" || Number(fdtBytes) <= 1400) {
          assert.deepEqual([message, malformed], ["", ""]);
        }
      }
    });
  },
});

/** TSI, TOI, length of the FDT, expert message and malformed mark of each packet, as tshark reads them. */
async function dissect(capture: Uint8Array, port: number): Promise<string[][]> {
  const file = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(file, capture);
    const fields = [
      ...["rmt-lct.tsi", "rmt-lct.toi", "rmt-fec.fti.transfer_length"],
      ...["_ws.expert.message", "_ws.malformed"],
    ];
    const args = ["-r", file, "-d", `udp.port==${port},alc`, "-T", "fields", "-E", "separator=|"];
    args.push(...fields.flatMap((field) => ["-e", field]));
    const { stdout } = await new Deno.Command("tshark", { args }).output();
    const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
    return lines.map((line) => line.split("|"));
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("a file is encoded on the air, and receivers may use it for as long as its plan says", async () => {
  const [file] = filesOfFlags(["/files/guide.xml"], 60_000);
  const files = [{ ...file, contentEncoding: "gzip" as const, maxAgeSeconds: 86_400 }];
  await onAir(async ({ origin, receiver }) => {
    await receiver.until("the file", () => receiver.find("/files/guide.xml") !== undefined);
    const { bytes, file: { contentEncoding, cacheControl } } = receiver.find("/files/guide.xml")!;
    assert.equal(contentEncoding, "gzip");
    assert.deepEqual(new Uint8Array(gunzipSync(bytes)), origin.bytes("/files/guide.xml"));
    assert.ok(cacheControl?.kind === "expires");
    assert.ok(cacheControl.expiresMs > Date.now() + 86_000_000);
  }, { files });
});
