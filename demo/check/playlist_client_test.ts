import assert from "node:assert/strict";
import { digestOf } from "./digest.ts";
import { pause, PlaylistClient } from "./playlist_client.ts";

/** A box whose live window starts at `first` and moves on when told. */
function box(window: { first: number; segments: number }) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== "/one/index.m3u8") {
      const headers = { "cache-status": 'stb-1; hit; detail="satellite=3;repair=2"' };
      return new Response(pathname, { headers });
    }
    const numbers = Array.from({ length: window.segments }, (_, index) => window.first + index);
    return new Response([
      "#EXTM3U",
      "#EXT-X-VERSION:7",
      "#EXT-X-TARGETDURATION:2",
      `#EXT-X-MEDIA-SEQUENCE:${window.first}`,
      '#EXT-X-MAP:URI="init.mp4"',
      ...numbers.flatMap((number) => ["#EXTINF:1.92,", `seg-${number}.m4s`]),
    ].join("\n"));
  });
  return { server, url: `http://127.0.0.1:${server.addr.port}` };
}

Deno.test("a client starts three segments before the end, with the header, and follows", async () => {
  const window = { first: 10, segments: 5 };
  const { server, url } = box(window);
  const client = new PlaylistClient(url, "/one/index.m3u8");
  const stop = new AbortController();
  const running = client.run(stop.signal);
  await pause(300);
  window.first++;
  await pause(900);
  stop.abort();
  await running;
  await server.shutdown();
  const names = ["init.mp4", ...[12, 13, 14, 15].map((number) => `seg-${number}.m4s`)];
  const paths = names.map((name) => `/one/${name}`);
  assert.deepEqual(client.fetched.map(({ path }) => path), paths);
  assert.deepEqual(client.fetched[0], {
    path: paths[0],
    status: 200,
    bytes: paths[0].length,
    digest: digestOf(new TextEncoder().encode(paths[0])),
    roads: { satellite: 3, repair: 2, internet: 0 },
  });
  assert.deepEqual(client.faults, []);
});

Deno.test("a window that jumps past the client, and a box that is away, are faults", async () => {
  const window = { first: 10, segments: 5 };
  const { server, url } = box(window);
  const client = new PlaylistClient(url, "/one/index.m3u8");
  const stop = new AbortController();
  const running = client.run(stop.signal);
  await pause(300);
  window.first = 20;
  await pause(800);
  await server.shutdown();
  await pause(800);
  stop.abort();
  await running;
  assert.equal(client.faults[0], "/one/index.m3u8: lost track at 15");
  assert.ok(client.faults.length > 1);
});
