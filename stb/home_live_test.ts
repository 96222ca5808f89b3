import assert from "node:assert/strict";
import {
  HomeRig,
  Origin,
  playlist,
  seeded,
  segment,
  serviceListDocument,
  turn,
} from "./home_rig.ts";

/** Whole packets of MPEG-TS. */
const segmentBytes = 106 * 188;
const live = (number: number) => segment(number, segmentBytes);

/** Sends the service list, as the carousel does. */
async function announceService(rig: HomeRig): Promise<void> {
  await rig.broadcast([{
    contentLocation: "http://dvb.gw/dvbi/services.xml",
    contentType: "application/vnd.dvb.dvbisl+xml",
    etag: '"list"',
    body: serviceListDocument(),
  }], { by: "files" });
  await rig.until(() => rig.home.status().services.length === 1, "a service");
}

/** Reads a live stream as segments, until there are `count` of them. */
async function readSegments(response: Response, count: number): Promise<Uint8Array[]> {
  const reader = response.body!.getReader();
  const whole = new Uint8Array(count * segmentBytes);
  let at = 0;
  while (at < whole.length) {
    const { done, value } = await reader.read();
    assert.ok(!done, `the stream ended after ${at} bytes`);
    whole.set(value.subarray(0, whole.length - at), at);
    at += value.length;
  }
  await reader.cancel();
  return Array.from(
    { length: count },
    (_, i) => whole.subarray(i * segmentBytes, (i + 1) * segmentBytes),
  );
}

for (const loss of [0, 0.2]) {
  Deno.test(`a live stream is segment after segment at ${loss * 100} % loss`, async () => {
    const origin = new Origin();
    for (let n = 1; n <= 9; n++) origin.objects.set(`/one/seg-${n}.ts`, live(n));
    const rig = await HomeRig.open({ repair: [origin.url] });
    try {
      const random = seeded(7);
      const loses = () => random() < loss;
      await announceService(rig);
      for (let n = 1; n <= 5; n++) await rig.broadcast([live(n)], { loses });
      await rig.broadcast([playlist(1, 5)]);
      const { objects } = rig.home.status();
      await rig.until(() => rig.home.status().objects.complete > objects.complete, "a playlist");
      const response = await rig.get("/live/one.ts");
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("content-type"), "video/mp2t");
      const reading = readSegments(response, 7);
      for (let n = 6; n <= 9; n++) {
        await turn(200);
        await rig.broadcast([live(n)], { loses });
        await rig.broadcast([playlist(n - 4, n)]);
      }
      const segments = await reading;
      for (const [i, bytes] of segments.entries()) assert.deepEqual(bytes, live(3 + i).body);
      assert.equal(rig.home.status().live.skipped, 0);
      const { served } = rig.home.status();
      assert.equal(served.internet, 0);
      await rig.until(() => rig.home.status().live.streams === 0, "the end of the stream");
    } finally {
      await rig.close();
      await origin.close();
    }
  });
}

Deno.test("a live stream without a way to the internet goes on after a lost segment", async () => {
  const rig = await HomeRig.open();
  try {
    await announceService(rig);
    await rig.broadcast([live(1), live(2), live(3), playlist(1, 3)]);
    await rig.until(() => rig.home.status().objects.complete === 5, "three segments");
    const reading = readSegments(await rig.get("/live/one.ts"), 5);
    await rig.broadcast([live(4)], { loses: () => true });
    await rig.broadcast([live(5), live(6), playlist(2, 6)]);
    const segments = await reading;
    for (const [i, number] of [1, 2, 3, 5, 6].entries()) {
      assert.deepEqual(segments[i], live(number).body);
    }
    assert.equal(rig.home.status().live.skipped, 1);
  } finally {
    await rig.close();
  }
});

Deno.test("a live stream starts with what came, where the rest cannot be had", async () => {
  const rig = await HomeRig.open();
  try {
    await announceService(rig);
    await rig.broadcast([live(3), playlist(1, 3)]);
    await rig.until(() => rig.home.status().objects.complete === 3, "one segment");
    const startedMs = performance.now();
    const [first] = await readSegments(await rig.get("/live/one.ts"), 1);
    assert.deepEqual(first, live(3).body);
    assert.ok(performance.now() - startedMs < 2000);
  } finally {
    await rig.close();
  }
});

// What cannot be played, and the one sentence for it.
const refusals = [
  { path: "/live/two.ts", status: 404, error: /need one of one: received two$/ },
  { path: "/live/one.mp4", status: 404, error: /need one of one: received/ },
  { path: "/live/one.ts", status: 504, error: /need its playlist: received none so far$/ },
];

Deno.test("what cannot be played gets one sentence", async () => {
  const rig = await HomeRig.open();
  try {
    await announceService(rig);
    for (const { path, status, error } of refusals) {
      const response = await rig.get(path);
      assert.equal(response.status, status);
      assert.match((await response.json()).error, error);
    }
  } finally {
    await rig.close();
  }
});

Deno.test("the service list tells where a service is", async () => {
  const rig = await HomeRig.open();
  try {
    await announceService(rig);
    await rig.broadcast([live(1), playlist(1, 1)]);
    await rig.until(() => rig.home.status().services[0].state === "receiving", "a signal");
    const [service] = await (await rig.get("/services")).json();
    assert.equal(service.id, "one");
    assert.equal(service.live, "/live/one.ts");
    assert.equal(service.hls, "/one/index.m3u8");
  } finally {
    await rig.close();
  }
});
