import assert from "node:assert/strict";
import type { CacheAnswer } from "#cache";
import type { Fields } from "#http";
import { findTsPlaylist, type GetObject } from "./live_playlist.ts";
import { liveStream, type LiveStreamOptions } from "./live_stream.ts";

/** A service of the test's own: objects by path, and what happens when they are asked for. */
class Service {
  readonly objects = new Map<string, () => CacheAnswer>();
  readonly asked: string[] = [];
  readonly skipped: string[] = [];
  ends = 0;
  nowMs = 0;

  readonly get: GetObject = (target, { range }) => {
    this.asked.push(range === undefined ? target : `${target} ${range}`);
    const answer = this.objects.get(target)?.();
    return Promise.resolve(answer ?? { status: 504, fields: [], body: null });
  };

  /** Time passes only while somebody waits. */
  readonly options: LiveStreamOptions = {
    get: this.get,
    whenStored: (_, ms) => {
      this.nowMs += ms;
      this.onWait();
      return Promise.resolve();
    },
    onSkip: (uri) => this.skipped.push(uri),
    onEnd: () => this.ends++,
    nowMs: () => this.nowMs,
  };
  onWait = () => {};

  put(path: string, body: string | Uint8Array, etag?: string): void {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const fields: Fields = etag === undefined ? [] : [["etag", etag]];
    this.objects.set(path, () => ({ status: 200, fields, body: bytes }));
  }

  window(first: number, last: number, ended = false): void {
    const lines = Array.from(
      { length: last - first + 1 },
      (_, i) => `#EXTINF:2,\nseg-${first + i}.ts`,
    );
    this.put(
      "/one/index.m3u8",
      [
        "#EXTM3U",
        "#EXT-X-TARGETDURATION:2",
        `#EXT-X-MEDIA-SEQUENCE:${first}`,
        ...lines,
        ended ? "#EXT-X-ENDLIST" : "",
      ].join("\n"),
    );
    for (let n = first; n <= last; n++) {
      if (!this.objects.has(`/one/seg-${n}.ts`)) this.put(`/one/seg-${n}.ts`, packet(`<${n}>`));
    }
  }

  async open(): Promise<ReadableStream<Uint8Array>> {
    const found = await findTsPlaylist(["/one/index.m3u8"], this.get, new AbortController().signal);
    assert.ok(typeof found === "object");
    return liveStream(found, this.options);
  }
}

/** One packet of MPEG-TS with a text in it. */
const packet = (text: string) => text.padEnd(188, ".");
const packets = (...texts: readonly string[]) => texts.map(packet).join("");

/** What the packets of a stream say; it is whole packets. */
async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const text = await new Response(stream).text();
  assert.equal(text.length % 188, 0);
  return text.replaceAll(".", "");
}

/** A body that breaks off after some text. */
function broken(text: string, fields: Fields = []): CacheAnswer {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
    pull: (controller) => controller.error(new Error("gone")),
  });
  return { status: 200, fields, body };
}

Deno.test("a live stream starts three segments behind and follows the window", async () => {
  const service = new Service();
  service.window(10, 20);
  let last = 20;
  service.onWait = () => service.window(10, ++last, last === 23);
  assert.equal(await textOf(await service.open()), "<18><19><20><21><22><23>");
  assert.equal(service.ends, 1);
});

Deno.test("a live stream does not wait for segments that are not here when it starts", async () => {
  const service = new Service();
  service.window(1, 3, true);
  service.objects.delete("/one/seg-1.ts");
  service.objects.delete("/one/seg-2.ts");
  assert.equal(await textOf(await service.open()), "<3>");
  assert.deepEqual(service.skipped.length, 2);
});

Deno.test("a live stream goes on where a segment broke off", async () => {
  const service = new Service();
  service.window(1, 3, true);
  service.put("/one/seg-2.ts", packets("<2", "-", ">"), '"v1"');
  breaksOnce(service, packet("<2") + "half", '"v1"');
  assert.equal(await textOf(await service.open()), "<1><2-><3>");
  assert.equal(service.skipped.length, 0);
});

/** The second segment breaks off once, after some text of a version. */
function breaksOnce(service: Service, text: string, etag: string): void {
  const whole = service.objects.get("/one/seg-2.ts")!;
  let times = 0;
  service.objects.set(
    "/one/seg-2.ts",
    () => ++times === 1 ? broken(text, [["etag", etag]]) : whole(),
  );
}

Deno.test("a live stream never glues two versions of a segment", async () => {
  const service = new Service();
  service.window(1, 3, true);
  service.put("/one/seg-2.ts", packets("<new", "2", ">"), '"v2"');
  breaksOnce(service, packet("<old") + "half", '"v1"');
  assert.equal(await textOf(await service.open()), "<1><old<3>");
  assert.deepEqual(service.skipped, ["http://dvb.gw/one/seg-2.ts"]);
});

Deno.test("a live stream takes a new version of what it has sent nothing of", async () => {
  const service = new Service();
  service.window(1, 3, true);
  service.put("/one/seg-2.ts", packets("<new", "2", ">"), '"v2"');
  breaksOnce(service, "half", '"v1"');
  assert.equal(await textOf(await service.open()), "<1><new2><3>");
  assert.deepEqual(service.skipped, []);
});

Deno.test("a live stream hands on whole packets, however they are cut", async () => {
  const service = new Service();
  service.window(1, 3, true);
  const bytes = new TextEncoder().encode(packets("<2", "-", ">") + "rest");
  for (const cut of [1, 187, 188, 189, 400]) {
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.subarray(at, at += cut));
      },
    });
    service.objects.set("/one/seg-2.ts", () => ({ status: 200, fields: [], body }));
    assert.equal(await textOf(await service.open()), "<1><2-><3>");
  }
});

Deno.test("a live stream skips a segment whose time is over", async () => {
  const service = new Service();
  service.window(1, 3, true);
  service.objects.set("/one/seg-2.ts", () => {
    service.nowMs += 2000;
    return { status: 504, fields: [], body: null };
  });
  assert.equal(await textOf(await service.open()), "<1><3>");
  assert.deepEqual(service.skipped, ["http://dvb.gw/one/seg-2.ts"]);
});

Deno.test("a live stream ends when its playlist is dead", async () => {
  const service = new Service();
  service.window(1, 3);
  assert.equal(await textOf(await service.open()), "<1><2><3>");
  assert.ok(service.nowMs >= 30_000 && service.nowMs < 33_000);
});

Deno.test("a live stream survives a playlist that cannot be had for a while", async () => {
  const service = new Service();
  service.window(1, 3);
  let waits = 0;
  service.onWait = () => {
    waits++;
    if (waits === 1) service.objects.delete("/one/index.m3u8");
    if (waits === 5) service.window(1, 4, true);
  };
  assert.equal(await textOf(await service.open()), "<1><2><3><4>");
});

Deno.test("a live stream stops when its reader leaves, and reads no further than asked", async () => {
  const service = new Service();
  service.window(1, 3);
  const reader = (await service.open()).getReader();
  await reader.read();
  const asked = service.asked.length;
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(service.asked.length, asked);
  await reader.cancel();
  assert.equal(service.ends, 1);
});

Deno.test("a live stream asks for byte ranges where the playlist has them", async () => {
  const service = new Service();
  service.put(
    "/one/index.m3u8",
    "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n#EXT-X-BYTERANGE:3@10\nall.ts\n#EXT-X-ENDLIST",
  );
  const part = new TextEncoder().encode(packet("abc"));
  service.objects.set("/one/all.ts", () => ({ status: 206, fields: [], body: part }));
  assert.equal(await textOf(await service.open()), "abc");
  assert.ok(service.asked.includes("/one/all.ts bytes=10-12"));
});

const master =
  "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=9\nindex.m3u8\n";
const cmaf = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI="init.mp4"\n#EXTINF:2,\n1.m4s\n';

// What the playlists of a service are, and which one can be streamed.
const rows = [
  { what: "a media playlist", keys: ["/one/index.m3u8"], want: "/one/index.m3u8" },
  {
    what: "the best variant of a master playlist",
    keys: ["/one/master.m3u8"],
    want: "/one/index.m3u8",
  },
  {
    what: "the first with MPEG-TS",
    keys: ["/one/cmaf.m3u8", "/one/index.m3u8"],
    want: "/one/index.m3u8",
  },
  {
    what: "what can be had",
    keys: ["/one/absent.m3u8", "/one/index.m3u8"],
    want: "/one/index.m3u8",
  },
  { what: "none of CMAF", keys: ["/one/cmaf.m3u8"], want: "not_ts" },
  { what: "none that is absent", keys: ["/one/absent.m3u8"], want: "unavailable" },
  { what: "none of junk", keys: ["/one/junk.m3u8"], want: "unavailable" },
  { what: "none", keys: [], want: "unavailable" },
];

for (const { what, keys, want } of rows) {
  Deno.test(`findTsPlaylist() finds ${what}`, async () => {
    const service = new Service();
    service.window(1, 3);
    service.put("/one/master.m3u8", master);
    service.put("/one/cmaf.m3u8", cmaf);
    service.put("/one/junk.m3u8", "junk");
    const found = await findTsPlaylist(keys, service.get, new AbortController().signal);
    assert.equal(typeof found === "string" ? found : found.key, want);
  });
}
