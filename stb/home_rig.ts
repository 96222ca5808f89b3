/**
 * A whole home for tests: a sender with a lossy link, an origin to repair from, and a set-top box
 * between them, over real sockets on the loopback.
 *
 * @module
 */

import { type NextHop, noPurges, type Purges } from "#cache";
import { openDiskStore } from "#cache";
import { encodeServiceList, manifestMediaTypes } from "#dvbi";
import { type FluteObject, FluteSender } from "#flute";
import { parseRange } from "#http";
import { type Http1Server, serve } from "#http1";
import { createLogger } from "#log";
import {
  encodeGatewayConfiguration,
  type MulticastTransportSession,
  transportProtocols,
  type TransportSession,
} from "#mabr";
import { createMetrics } from "#metrics";
import { type DatagramSender, openSender } from "#multicast";
import { httpNextHop } from "#upstream";
import { Home } from "./home.ts";
import { homeMetrics } from "./home_metrics.ts";
import { folderReader } from "#program";

/** TSI of configuration and files, and of the service's objects. */
export const tsis = { files: 1, live: 10 } as const;
/** The group of the tests; it never leaves the loopback. */
const group = "239.255.60.1";

/** Returns a UDP port that is free now. */
function freeUdpPort(): number {
  const socket = Deno.listenDatagram({ hostname: "127.0.0.1", port: 0, transport: "udp" });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  return port;
}

/** A random number generator that gives the same numbers each time (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bytes that look like nothing else. */
export function noise(bytes: number, seed: number): Uint8Array<ArrayBuffer> {
  const random = seeded(seed);
  return Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256));
}

/** How an origin behaves. */
export type Manners =
  /** Single and several ranges, as RFC 9110 has it. */
  | "honest"
  /** Knows no ranges. */
  | "plain"
  /** The right ranges with wrong bytes. */
  | "lying"
  /** 503. */
  | "busy";

/** An object at the origin. */
export interface OriginObject {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType?: string;
  readonly etag?: string;
  readonly cacheControl?: string;
}

/** An HTTP server that has objects. */
export class Origin {
  readonly objects = new Map<string, OriginObject>();
  /** Requests by path, as `GET bytes=0-1` or `GET`. */
  readonly asked: { readonly path: string; readonly range: string | null }[] = [];
  manners: Manners;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(manners: Manners = "honest") {
    this.manners = manners;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  /** Where it listens. */
  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#server.addr.port}/`);
  }

  /** How often a path was asked for. */
  count(path: string): number {
    return this.asked.filter((asked) => asked.path === path).length;
  }

  /** Stops at once. */
  async close(): Promise<void> {
    await this.#server.shutdown();
  }

  #answer(request: Request): Response {
    const { pathname } = new URL(request.url);
    const range = request.headers.get("range");
    this.asked.push({ path: pathname, range });
    if (this.manners === "busy") return new Response("busy", { status: 503 });
    const object = this.objects.get(pathname);
    if (object === undefined) return new Response("none", { status: 404 });
    const { body, etag, contentType = "video/mp2t", cacheControl = "max-age=60" } = object;
    const headers = new Headers({ "content-type": contentType, "cache-control": cacheControl });
    if (etag !== undefined) headers.set("etag", etag);
    if (etag !== undefined && request.headers.get("if-none-match") === etag) {
      return new Response(null, { status: 304, headers });
    }
    const same = (request.headers.get("if-range") ?? etag) === etag;
    const ranges = range === null || !same || this.manners === "plain"
      ? undefined
      : parseRange(range, body.length);
    if (ranges === undefined || ranges === "unsatisfiable") return new Response(body, { headers });
    const bytes = this.manners === "lying" ? body.map((byte) => byte ^ 1) : body;
    const said = (start: number, end: number) => `bytes ${start}-${end - 1}/${body.length}`;
    if (ranges.length === 1) {
      const [[start, end]] = ranges;
      headers.set("content-range", said(start, end));
      return new Response(bytes.slice(start, end), { status: 206, headers });
    }
    const parts = ranges.flatMap(([start, end]): BlobPart[] => [
      `\r\n--PART\r\nContent-Range: ${said(start, end)}\r\n\r\n`,
      bytes.slice(start, end),
    ]);
    headers.set("content-type", "multipart/byteranges; boundary=PART");
    return new Response(new Blob([...parts, "\r\n--PART--\r\n"]), { status: 206, headers });
  }
}

/** What a rig is opened with. */
export interface RigOptions {
  /** Edges of the home; none means no way to the internet. */
  readonly repair?: readonly URL[];
  readonly repairFor?: "all" | "watched";
  readonly purges?: Purges;
  /** Cache folder of an earlier rig, to restart with. */
  readonly dir?: string;
  /** Port of an earlier rig's group. */
  readonly port?: number;
  readonly cacheBytes?: number;
  /** Wraps the hops to edges. */
  readonly connect?: (url: URL) => NextHop;
}

/** A home, its sender and its front. */
export class HomeRig {
  readonly senders = {
    files: new FluteSender({ tsi: tsis.files }),
    live: new FluteSender({ tsi: tsis.live }),
  };
  readonly log: string[] = [];
  /** Keeps no connection open, so that the front ends at once. */
  readonly client: Deno.HttpClient = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });

  private constructor(
    readonly home: Home,
    readonly dir: string,
    readonly port: number,
    readonly closeStore: () => Promise<void>,
    readonly uplink: DatagramSender,
    readonly front: Http1Server,
    log: string[],
  ) {
    this.log = log;
  }

  /** Opens everything. */
  static async open(options: RigOptions = {}): Promise<HomeRig> {
    const dir = options.dir ?? await Deno.makeTempDir({ prefix: "home" });
    const port = options.port ?? freeUdpPort();
    const store = await openDiskStore({
      dir: `${dir}/objects`,
      budgetBytes: options.cacheBytes ?? 64 * 2 ** 20,
    });
    const log: string[] = [];
    const home = new Home({
      name: "stb-test",
      interfaceAddress: "127.0.0.1",
      receiveBufferBytes: 2 ** 20,
      session: {
        load: () => Promise.resolve(sessionDocument(port)),
        kept: { read: () => Promise.resolve(undefined), write: () => Promise.resolve() },
      },
      store,
      purges: options.purges ?? noPurges,
      repair: options.repair ?? [],
      connect: options.connect ?? ((url) => httpNextHop({ url })),
      edges: () => [],
      repairFor: options.repairFor ?? "all",
      repairBitsPerSecond: 1e9,
      repairParallel: 4,
      serviceList: "/dvbi/services.xml",
      page: folderReader(new URL("page/", import.meta.url)),
      metrics: homeMetrics(createMetrics("stb", "0.0.0", 0)),
      log: createLogger({
        program: "stb",
        format: "text",
        level: "debug",
        write: (line) => void log.push(line),
        nowMs: Date.now,
      }),
    });
    await home.start();
    const front = serve({
      hostname: "127.0.0.1",
      port: 0,
      handler: (request, env) => home.app.fetch(request, env),
    });
    const uplink = await openSender({ to: { host: group, port }, interface: "127.0.0.1" });
    return new HomeRig(home, dir, port, () => store.close(), uplink, front, log);
  }

  /** What a player gets. */
  async get(path: string, init?: RequestInit): Promise<Response> {
    const { client } = this;
    return await fetch(`http://127.0.0.1:${this.front.address.port}${path}`, { ...init, client });
  }

  /** What a player gets, in bytes; the status when it is not 200. */
  async bytes(path: string): Promise<Uint8Array | number> {
    const response = await this.get(path);
    const bytes = new Uint8Array(await response.arrayBuffer());
    return response.status === 200 ? bytes : response.status;
  }

  /**
   * Sends objects once, each announced by an FDT first.
   *
   * @param loses Which packets of objects are lost on the way; FDTs come through.
   */
  async broadcast(
    objects: readonly FluteObject[],
    { by = "live", loses = () => false, spoil }: {
      readonly by?: keyof HomeRig["senders"];
      readonly loses?: () => boolean;
      /** Changes a packet on its way. */
      readonly spoil?: (packet: Uint8Array) => void;
    } = {},
  ): Promise<void> {
    const sender = this.senders[by];
    let sent = 0;
    for (const object of objects) {
      const toi = sender.add(object, Date.now());
      for (const packet of sender.fdtPackets(Date.now())) await this.uplink.send(packet);
      for (const packet of sender.objectPackets(toi)) {
        spoil?.(packet);
        if (!loses()) await this.uplink.send(packet);
        if (++sent % 16 === 0) await turn();
      }
    }
  }

  /** Waits until something holds; fails after half a minute. */
  async until(condition: () => boolean, what: string): Promise<void> {
    for (let i = 0; i < 3000; i++) {
      if (condition()) return;
      await turn(10);
    }
    throw new Error(`Cannot go on: need ${what}: received\n${this.log.join("")}`);
  }

  /** Ends the home; the folder stays when it will be used again. */
  async close({ keep = false }: { readonly keep?: boolean } = {}): Promise<void> {
    this.home.hangUp();
    this.uplink.close();
    this.client.close();
    await this.front.drain(1000);
    this.home.close();
    await this.closeStore();
    if (!keep) await Deno.remove(this.dir, { recursive: true });
  }
}

/** Lets others run. */
export function turn(ms = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The gateway configuration of the rig. */
export function sessionDocument(port: number, live: number = tsis.live): Uint8Array {
  const transport = (tsi: number): TransportSession => ({
    transportProtocol: { protocolIdentifier: transportProtocols.flute, protocolVersion: 1 },
    sessionIdleTimeoutMs: 5000,
    endpointAddresses: [{
      networkDestinationGroupAddress: group,
      transportDestinationPort: port,
      mediaTransportSessionIdentifier: tsi,
    }],
    bitRate: { maximumBitsPerSecond: 10e6 },
    unicastRepairParameters: {
      transportObjectBaseURI: "http://dvb.gw/",
      fixedBackOffPeriodMs: 1,
      randomBackOffPeriodMs: 10,
      baseURLs: [],
    },
  });
  const media: MulticastTransportSession = {
    ...transport(live),
    id: "live",
    serviceComponentIdentifiers: [{
      type: "hls",
      manifestIdRef: "hls",
      mediaPlaylistLocator: "http://dvb.gw/one/index.m3u8",
    }],
  };
  return new TextEncoder().encode(encodeGatewayConfiguration({
    multicastGatewayConfigurationTransportSessions: [transport(tsis.files)],
    multicastSessions: [{
      serviceIdentifier: "tag:example.org,2026:one",
      presentationManifestLocators: [{
        manifestId: "hls",
        contentType: manifestMediaTypes.hls,
        url: "http://dvb.gw/one/index.m3u8",
      }],
      multicastTransportSessions: [media],
    }],
  }));
}

/** The service list of the rig. */
export function serviceListDocument(): Uint8Array {
  return new TextEncoder().encode(encodeServiceList({
    id: "tag:example.org,2026:list",
    version: 1,
    language: "en",
    name: "Home",
    providerName: "Home",
    relatedMaterials: [],
    lcnTables: [],
    services: [{
      uniqueIdentifier: "tag:example.org,2026:one",
      version: 1,
      serviceName: "One",
      providerName: "Home",
      relatedMaterials: [],
      serviceInstances: [{
        priority: 0,
        delivery: {
          kind: "identifier",
          uri: "http://dvb.gw/one/index.m3u8",
          contentType: manifestMediaTypes.hls,
        },
      }],
    }],
  }));
}

/** A segment as the headend sends it. */
export function segment(number: number, bytes = 60_000): FluteObject & OriginObject {
  return {
    contentLocation: `http://dvb.gw/one/seg-${number}.ts`,
    contentType: "video/mp2t",
    etag: `"seg-${number}"`,
    maxAgeSeconds: 3600,
    body: noise(bytes, number),
  };
}

/** A playlist of segments `first` to `last`, as the headend sends it. */
export function playlist(first: number, last: number): FluteObject & OriginObject {
  const lines = Array.from(
    { length: last - first + 1 },
    (_, i) => `#EXTINF:0.4,\nseg-${first + i}.ts`,
  );
  const text = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", `#EXT-X-MEDIA-SEQUENCE:${first}`, ...lines];
  return {
    contentLocation: "http://dvb.gw/one/index.m3u8",
    contentType: "application/vnd.apple.mpegurl",
    etag: `"${first}-${last}"`,
    maxAgeSeconds: 1,
    body: new TextEncoder().encode(`${text.join("\n")}\n`),
  };
}
