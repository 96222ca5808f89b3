import assert from "node:assert/strict";
import {
  HomeRig,
  noise,
  Origin,
  playlist,
  seeded,
  segment,
  serviceListDocument,
} from "./home_rig.ts";

const pathOf = (number: number) => `/one/seg-${number}.ts`;

/** An origin that has these segments. */
function originOf(first: number, last: number, manners?: ConstructorParameters<typeof Origin>[0]) {
  const origin = new Origin(manners);
  for (let n = first; n <= last; n++) origin.objects.set(pathOf(n), segment(n));
  return origin;
}

const segments = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, i) => segment(first + i));

for (const loss of [0, 0.1, 0.3]) {
  Deno.test(`every segment is whole at ${loss * 100} % loss`, async () => {
    const origin = originOf(1, 8);
    const rig = await HomeRig.open({ repair: [origin.url] });
    try {
      const random = seeded(1);
      await rig.broadcast(segments(1, 8), { loses: () => random() < loss });
      const finished = () => {
        const { complete, repaired, failed } = rig.home.status().objects;
        return complete + repaired + failed === 8;
      };
      await rig.until(finished, "eight objects");
      for (let n = 1; n <= 8; n++) {
        const response = await rig.get(pathOf(n));
        assert.equal(response.status, 200);
        assert.equal(response.headers.get("content-type"), "video/mp2t");
        assert.equal(response.headers.get("etag"), `"seg-${n}"`);
        assert.match(
          response.headers.get("cache-status") ?? "",
          /^stb-test;hit;.*detail="satellite=/,
        );
        assert.deepEqual(new Uint8Array(await response.arrayBuffer()), segment(n).body);
      }
      const status = rig.home.status();
      const total = 8 * 60_000;
      assert.equal(status.bytes.satellite + status.bytes.repair, total);
      assert.equal(status.bytes.internet, 0);
      assert.equal(status.objects.failed, 0);
      assert.equal(status.served.satellite + status.served.repair, total);
      assert.equal(status.packets.expected, 8 * 43);
      const lost = status.packets.lost / status.packets.expected;
      assert.ok(Math.abs(lost - loss) < 0.06, `lost ${lost}`);
      assert.ok(Math.abs(status.bytes.repair / total - loss) < 0.1);
      const askedFor = origin.asked.filter(({ path }) => path.startsWith("/one/"));
      assert.equal(askedFor.length === 0, loss === 0);
    } finally {
      await rig.close();
      await origin.close();
    }
  });
}

// What the first server does; the second one is honest.
for (const manners of ["plain", "lying", "busy"] as const) {
  Deno.test(`segments are mended when the first server is ${manners}`, async () => {
    const bad = originOf(1, 3, manners);
    const good = originOf(1, 3);
    const rig = await HomeRig.open({ repair: [bad.url, good.url] });
    try {
      const random = seeded(2);
      await rig.broadcast(segments(1, 3), { loses: () => random() < 0.2 });
      await rig.until(() => rig.home.status().objects.repaired === 3, "three mended objects");
      for (let n = 1; n <= 3; n++) assert.deepEqual(await rig.bytes(pathOf(n)), segment(n).body);
    } finally {
      await rig.close();
      await Promise.all([bad.close(), good.close()]);
    }
  });
}

Deno.test("segments are mended when one server is down", async () => {
  const gone = new Origin();
  const { url } = gone;
  await gone.close();
  const origin = originOf(1, 3);
  const rig = await HomeRig.open({ repair: [url, origin.url] });
  try {
    const random = seeded(3);
    await rig.broadcast(segments(1, 3), { loses: () => random() < 0.2 });
    await rig.until(() => rig.home.status().objects.repaired === 3, "three mended objects");
    for (let n = 1; n <= 3; n++) assert.deepEqual(await rig.bytes(pathOf(n)), segment(n).body);
  } finally {
    await rig.close();
    await origin.close();
  }
});

Deno.test("a corrupt object is never served: it is fetched whole", async () => {
  const origin = originOf(1, 1);
  const rig = await HomeRig.open({ repair: [origin.url] });
  try {
    let spoilt = 0;
    const spoil = (packet: Uint8Array) => {
      if (++spoilt === 5) packet[packet.length - 1] ^= 1;
    };
    await rig.broadcast([segment(1)], { spoil });
    await rig.until(() => rig.home.status().objects.repaired === 1, "a mended object");
    assert.deepEqual(await rig.bytes(pathOf(1)), segment(1).body);
    assert.equal(origin.count(pathOf(1)), 1);
    assert.equal(rig.home.status().bytes.repair, 60_000);
  } finally {
    await rig.close();
    await origin.close();
  }
});

Deno.test("a player who reads along a corrupt object is cut off before its end", async () => {
  const rig = await HomeRig.open();
  try {
    const object = segment(1, 100_000);
    const sender = rig.senders.live;
    const toi = sender.add(object, Date.now());
    const packets = [...sender.objectPackets(toi)];
    packets[3][packets[3].length - 1] ^= 1;
    for (const packet of sender.fdtPackets(Date.now())) await rig.uplink.send(packet);
    for (const packet of packets.slice(0, 50)) await rig.uplink.send(packet);
    await rig.until(() => rig.home.status().bytes.satellite > 50_000, "the first half");
    const response = await rig.get(pathOf(1));
    assert.equal(response.status, 200);
    for (const packet of packets.slice(50)) await rig.uplink.send(packet);
    await assert.rejects(response.arrayBuffer());
    assert.equal(await rig.bytes(pathOf(1)), 404);
  } finally {
    await rig.close();
  }
});

Deno.test("a corrupt object without a way to the internet is a clear 404", async () => {
  const rig = await HomeRig.open();
  try {
    await rig.broadcast([segment(1)], { spoil: (packet) => void (packet[packet.length - 1] ^= 1) });
    await rig.until(() => rig.home.status().objects.failed === 1, "a failed object");
    const response = await rig.get(pathOf(1));
    assert.equal(response.status, 404);
    assert.match(
      (await response.json()).error,
      /^Cannot serve \/one\/seg-1\.ts: it has not come by satellite, and there is no way to the internet$/,
    );
  } finally {
    await rig.close();
  }
});

Deno.test("an object of which no packet came is fetched once the next one arrives", async () => {
  const origin = originOf(1, 3);
  const rig = await HomeRig.open({ repair: [origin.url] });
  try {
    await rig.broadcast([segment(1)]);
    await rig.broadcast([segment(2)], { loses: () => true });
    await rig.broadcast([segment(3)]);
    await rig.until(() => rig.home.status().objects.repaired === 1, "a mended object");
    assert.equal(origin.count(pathOf(2)), 1);
    const response = await rig.get(pathOf(2));
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), segment(2).body);
    assert.match(response.headers.get("cache-status") ?? "", /hit.*detail="repair=60000"/);
    assert.equal(rig.home.status().packets.lost, 43);
  } finally {
    await rig.close();
    await origin.close();
  }
});

Deno.test("a player reads along while an object arrives", async () => {
  const rig = await HomeRig.open();
  try {
    const object = segment(1, 300_000);
    const sender = rig.senders.live;
    const toi = sender.add(object, Date.now());
    const packets = [...sender.objectPackets(toi)];
    for (const packet of sender.fdtPackets(Date.now())) await rig.uplink.send(packet);
    for (const packet of packets.slice(0, 100)) await rig.uplink.send(packet);
    await rig.until(() => rig.home.status().bytes.satellite > 100_000, "the first half");
    const response = await rig.get(pathOf(1));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-length"), "300000");
    const reader = response.body!.getReader();
    const first = await reader.read();
    assert.ok(first.value!.length > 0);
    assert.equal(rig.home.status().objects.complete, 0);
    for (const packet of packets.slice(100)) await rig.uplink.send(packet);
    const chunks = [first.value!];
    for (let read; !(read = await reader.read()).done;) chunks.push(read.value);
    const body = new Uint8Array(await new Blob(chunks).arrayBuffer());
    assert.deepEqual(body, object.body);
    assert.equal(rig.home.status().requests.arriving, 1);
    assert.equal(rig.home.status().served.satellite, 300_000);
  } finally {
    await rig.close();
  }
});

Deno.test("a player waits a moment for the next segment, rather than ask the internet", async () => {
  const origin = originOf(1, 3);
  const rig = await HomeRig.open({ repair: [origin.url] });
  try {
    await rig.broadcast([segment(1)]);
    await rig.until(() => rig.home.status().objects.complete === 1, "the first segment");
    const next = rig.bytes(pathOf(2));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await rig.broadcast([segment(2)]);
    assert.deepEqual(await next, segment(2).body);
    assert.equal(origin.count(pathOf(2)), 0);
  } finally {
    await rig.close();
    await origin.close();
  }
});

Deno.test("what never came by satellite comes from the internet, and is kept", async () => {
  const origin = originOf(1, 1);
  const rig = await HomeRig.open({ repair: [origin.url] });
  try {
    const first = await rig.get(pathOf(1));
    assert.deepEqual(new Uint8Array(await first.arrayBuffer()), segment(1).body);
    assert.match(first.headers.get("cache-status") ?? "", /fwd=uri-miss.*detail="internet=60000"/);
    await rig.until(() => rig.home.status().cache.objects === 1, "a stored object");
    const again = await rig.get(pathOf(1));
    await again.arrayBuffer();
    assert.match(again.headers.get("cache-status") ?? "", /hit.*detail="internet=60000"/);
    assert.equal(origin.count(pathOf(1)), 1);
    const { bytes, media, served, requests } = rig.home.status();
    assert.deepEqual(bytes, { satellite: 0, repair: 0, internet: 60_000 });
    assert.deepEqual(media, bytes);
    assert.equal(served.internet, 120_000);
    assert.deepEqual(requests, { hit: 1, arriving: 0, miss: 1, error: 0 });
  } finally {
    await rig.close();
    await origin.close();
  }
});

Deno.test("an internet that is away is a clear 504", async () => {
  const gone = new Origin();
  await gone.close();
  const rig = await HomeRig.open({ repair: [gone.url] });
  try {
    const response = await rig.get("/files/absent.bin");
    assert.equal(response.status, 504);
    assert.match(
      (await response.json()).error,
      /^Cannot serve \/files\/absent\.bin: .*no edge has it/,
    );
  } finally {
    await rig.close();
  }
});

Deno.test("objects outlive a restart, and are not received again", async () => {
  const first = await HomeRig.open();
  const { dir, port } = first;
  await first.broadcast(segments(1, 4));
  await first.until(() => first.home.status().objects.complete === 4, "four objects");
  await first.close({ keep: true });
  const second = await HomeRig.open({ dir, port });
  try {
    for (let n = 1; n <= 4; n++) assert.deepEqual(await second.bytes(pathOf(n)), segment(n).body);
    await second.broadcast([...segments(1, 4), segment(5)]);
    await second.until(() => second.home.status().objects.complete === 1, "the new object");
    assert.equal(second.home.status().bytes.satellite, 60_000);
  } finally {
    await second.close();
  }
});

Deno.test("ranges of cached objects are served", async () => {
  const rig = await HomeRig.open();
  try {
    await rig.broadcast([segment(1)]);
    await rig.until(() => rig.home.status().objects.complete === 1, "an object");
    const response = await rig.get(pathOf(1), { headers: { range: "bytes=100-199" } });
    assert.equal(response.status, 206);
    assert.equal(response.headers.get("content-range"), "bytes 100-199/60000");
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), segment(1).body.slice(100, 200));
  } finally {
    await rig.close();
  }
});

Deno.test("a purged object is not taken from the satellite until the sender knows of the purge", async () => {
  const purges = {
    appliedSeq: 5,
    verdict: ({ tags, fillSeq }: { tags: readonly string[]; fillSeq: number }) =>
      tags.includes("one") && fillSeq < 5 ? "gone" as const : "valid" as const,
  };
  const rig = await HomeRig.open({ purges });
  try {
    const old = { ...segment(1), tags: ["one"], purgeSeq: 4 };
    const renewed = { ...segment(2), tags: ["one"], purgeSeq: 5 };
    await rig.broadcast([old, renewed]);
    await rig.until(() => rig.home.status().objects.complete === 1, "the newer object");
    assert.equal(await rig.bytes(pathOf(1)), 404);
    assert.deepEqual(await rig.bytes(pathOf(2)), segment(2).body);
  } finally {
    await rig.close();
  }
});

Deno.test("a live playlist is the satellite's as long as it is heard", async () => {
  const origin = new Origin();
  origin.objects.set("/one/index.m3u8", playlist(1, 9));
  const rig = await HomeRig.open({ repair: [origin.url] });
  try {
    await rig.broadcast([segment(3), playlist(1, 3)]);
    await rig.until(() => rig.home.status().objects.complete === 2, "segment and playlist");
    await new Promise((resolve) => setTimeout(resolve, 1200));
    assert.deepEqual(await rig.bytes("/one/index.m3u8"), playlist(1, 3).body);
    assert.equal(origin.count("/one/index.m3u8"), 0);
    // The next version is lost: the satellite's word is no longer the newest.
    await rig.broadcast([playlist(1, 4)], { loses: () => true });
    await new Promise((resolve) => setTimeout(resolve, 1200));
    assert.deepEqual(await rig.bytes("/one/index.m3u8"), playlist(1, 9).body);
    assert.equal(origin.count("/one/index.m3u8"), 1);
  } finally {
    await rig.close();
    await origin.close();
  }
});

Deno.test("a playlist that is old stands in for a while where the internet is away", async () => {
  const rig = await HomeRig.open();
  try {
    await rig.broadcast([segment(3), playlist(1, 3)]);
    await rig.until(() => rig.home.status().objects.complete === 2, "segment and playlist");
    await rig.broadcast([playlist(1, 4)], { loses: () => true });
    await new Promise((resolve) => setTimeout(resolve, 1200));
    const response = await rig.get("/one/index.m3u8");
    assert.equal(response.status, 200);
    assert.match(response.headers.get("cache-control") ?? "", /stale-if-error=30/);
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), playlist(1, 3).body);
  } finally {
    await rig.close();
  }
});

Deno.test("holes of what nobody watches are left, where told so, until somebody does", async () => {
  const origin = originOf(1, 3);
  const rig = await HomeRig.open({ repair: [origin.url], repairFor: "watched" });
  try {
    const list = {
      contentLocation: "http://dvb.gw/dvbi/services.xml",
      body: serviceListDocument(),
    };
    await rig.broadcast([list], { by: "files" });
    await rig.until(() => rig.home.status().services.length === 1, "a service");
    const random = seeded(9);
    const loses = () => random() < 0.2;
    await rig.broadcast([segment(1)], { loses });
    await rig.until(() => rig.home.status().packets.lost > 0, "a hole");
    assert.equal(origin.count(pathOf(1)), 0);
    assert.deepEqual(await rig.bytes(pathOf(1)), segment(1).body);
    await rig.broadcast([segment(2)], { loses });
    await rig.until(() => rig.home.status().objects.repaired === 1, "a mended object");
    assert.deepEqual(await rig.bytes(pathOf(2)), segment(2).body);
  } finally {
    await rig.close();
    await origin.close();
  }
});

Deno.test("packets that are changed on the way cost no wrong byte", async () => {
  const origin = originOf(1, 6);
  const rig = await HomeRig.open({ repair: [origin.url] });
  try {
    const random = seeded(11);
    const spoil = (packet: Uint8Array) => {
      if (random() < 0.1) packet[Math.floor(random() * packet.length)] ^= 1 << random() * 8;
      if (random() < 0.05) packet[Math.floor(random() * 20)] ^= 1 << random() * 8;
    };
    await rig.broadcast(segments(1, 6), { spoil });
    for (let n = 1; n <= 6; n++) {
      // Who reads along while wrong bytes arrive is cut off before the end, and asks again.
      let got = await rig.bytes(pathOf(n)).catch(() => undefined);
      for (let again = 0; got === undefined && again < 5; again++) {
        got = await rig.bytes(pathOf(n)).catch(() => undefined);
      }
      assert.deepEqual(got, segment(n).body);
    }
  } finally {
    await rig.close();
    await origin.close();
  }
});

Deno.test("a datagram of any bytes does no harm", async () => {
  const rig = await HomeRig.open();
  try {
    for (let i = 0; i < 300; i++) await rig.uplink.send(noise(i % 90, i));
    await rig.uplink.send(new Uint8Array(0));
    await rig.broadcast([segment(1)]);
    await rig.until(() => rig.home.status().objects.complete === 1, "an object");
    assert.deepEqual(await rig.bytes(pathOf(1)), segment(1).body);
  } finally {
    await rig.close();
  }
});
