/**
 * An origin for tests: one service as HLS with TS segments, as CMAF and as DASH, whose window slides
 * when the test says so, over a real HTTP server. It can fail, and it can change its bytes.
 *
 * @module
 */

import { encodeServiceList, manifestMediaTypes } from "#dvbi";

/** What was asked and how it was fenced. */
export interface OriginRequest {
  readonly path: string;
  readonly purgeSeq: string | null;
}

const windowSegments = 6;
const segmentPattern = /^\/one\/(?:cmaf\/)?(seg|video|audio)-(\d+)\.(?:ts|m4s)$/;
const sizes: Readonly<Record<string, number>> = { seg: 60_000, video: 40_000, audio: 5_000 };
const encoder = new TextEncoder();

/** The origin. */
export class SlidingOrigin {
  /** Number of the newest segment. */
  newest = windowSegments + 4;
  /** Another value makes other bytes of everything. */
  revision = 1;
  readonly requests: OriginRequest[] = [];
  /** Answers instead of the usual ones, by path. */
  readonly faults = new Map<string, () => Response>();
  readonly #port: number;
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;

  constructor() {
    this.#server = this.#listen(0);
    this.#port = this.#server.addr.port;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#port}`);
  }

  /** Goes away, as after a kill. */
  async close(): Promise<void> {
    await this.#server?.shutdown();
    this.#server = undefined;
  }

  /** Comes back on the same port. */
  reopen(): void {
    this.#server = this.#listen(this.#port);
  }

  /** The bytes of a segment, initialization segment or file as they are now. */
  bytes(path: string): Uint8Array {
    const [, kind] = segmentPattern.exec(path) ?? [];
    const bytes = new Uint8Array(sizes[kind] ?? 700);
    let state = this.revision;
    for (const character of path) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193);
    for (let at = 0; at < bytes.length; at++) {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + at | 0;
      bytes[at] = state >>> 24;
    }
    return bytes;
  }

  #listen(port: number): Deno.HttpServer<Deno.NetAddr> {
    const options = { port, hostname: "127.0.0.1", onListen: () => {} };
    return Deno.serve(options, (request) => this.#answer(request));
  }

  #answer({ url, headers }: Request): Response {
    const path = new URL(url).pathname;
    this.requests.push({ path, purgeSeq: headers.get("purge-seq") });
    const fault = this.faults.get(path);
    if (fault) return fault();
    const body = this.#body(path);
    if (body === undefined) return new Response("no such path", { status: 404 });
    const etag = `"${this.revision}-${typeof body === "string" ? this.newest : path}"`;
    const live = path.endsWith(".m3u8") || path.endsWith(".mpd");
    const fields = {
      etag,
      "cache-control": live ? "max-age=1" : "max-age=86400, immutable",
      "content-type": contentTypeOf(path),
      "surrogate-key": path.startsWith("/one/") ? "one" : "lists",
    };
    if (headers.get("if-none-match") === etag) {
      return new Response(null, { status: 304, headers: fields });
    }
    return new Response(typeof body === "string" ? encoder.encode(body) : body.slice(), {
      headers: fields,
    });
  }

  #body(path: string): string | Uint8Array | undefined {
    const segment = segmentPattern.exec(path);
    if (segment) return this.#isPublished(Number(segment[2])) ? this.bytes(path) : undefined;
    if (/^\/one\/cmaf\/(?:video|audio)-init\.mp4$/.test(path)) return this.bytes(path);
    if (path === "/files/guide.xml") return this.bytes(path);
    if (path === "/dvbi/services.xml") return serviceList();
    if (path === "/one/index.m3u8") return this.#playlist("seg", "ts");
    if (path === "/one/cmaf/video.m3u8") return this.#playlist("video", "m4s", "video-init.mp4");
    if (path === "/one/cmaf/audio.m3u8") return this.#playlist("audio", "m4s", "audio-init.mp4");
    if (path === "/one/cmaf/master.m3u8") return master;
    if (path === "/one/cmaf/manifest.mpd") return this.#mpd();
  }

  #isPublished(n: number): boolean {
    return n <= this.newest && n > this.newest - 2 * windowSegments;
  }

  #playlist(stem: string, suffix: string, map?: string): string {
    const first = this.newest - windowSegments + 1;
    const lines = [
      "#EXTM3U",
      "#EXT-X-VERSION:7",
      "#EXT-X-TARGETDURATION:1",
      `#EXT-X-MEDIA-SEQUENCE:${first}`,
      `# revision ${this.revision}`,
    ];
    if (map) lines.push(`#EXT-X-MAP:URI="${map}"`);
    for (let n = first; n <= this.newest; n++) lines.push("#EXTINF:1.0,", `${stem}-${n}.${suffix}`);
    return lines.join("\n") + "\n";
  }

  #mpd(): string {
    const first = this.newest - windowSegments + 1;
    const timeline = `<SegmentTimeline><S t="${first}" d="1" r="${
      windowSegments - 1
    }"/></SegmentTimeline>`;
    const set = (id: number, track: string) =>
      `<AdaptationSet id="${id}"><SegmentTemplate startNumber="${first}" media="${track}-$Number$.m4s"
        initialization="${track}-init.mp4">${timeline}</SegmentTemplate>
        <Representation id="${track}" bandwidth="1000"/></AdaptationSet>`;
    return `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic"><Period id="p0">${
      set(1, "video")
    }${set(2, "audio")}</Period></MPD>`;
  }
}

const master = [
  "#EXTM3U",
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",DEFAULT=YES,URI="audio.m3u8"',
  '#EXT-X-STREAM-INF:BANDWIDTH=400000,AUDIO="a"',
  "video.m3u8",
  "",
].join("\n");

function contentTypeOf(path: string): string {
  if (path.endsWith(".m3u8")) return manifestMediaTypes.hls;
  if (path.endsWith(".mpd")) return manifestMediaTypes.dash;
  if (path.endsWith(".ts")) return "video/mp2t";
  return path.endsWith(".xml") ? "application/xml" : "video/mp4";
}

function serviceList(): string {
  const { hls, dash } = manifestMediaTypes;
  const instance = (priority: number, path: string, contentType: string) => {
    const kind: "dash" | "identifier" = contentType === dash ? "dash" : "identifier";
    return { priority, delivery: { kind, uri: `http://dvb.gw${path}`, contentType } };
  };
  return encodeServiceList({
    id: "tag:example.org,2026:list",
    version: 1,
    language: "en",
    name: "Test",
    providerName: "Example",
    relatedMaterials: [],
    lcnTables: [],
    services: [{
      uniqueIdentifier: "tag:example.org,2026:one",
      version: 1,
      serviceName: "One",
      providerName: "Example",
      relatedMaterials: [],
      serviceInstances: [
        instance(0, "/one/index.m3u8", hls),
        instance(1, "/one/cmaf/master.m3u8", hls),
        instance(2, "/one/cmaf/manifest.mpd", dash),
      ],
    }],
  });
}
