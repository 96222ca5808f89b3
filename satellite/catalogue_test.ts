import assert from "node:assert/strict";
import { encodeServiceList, manifestMediaTypes } from "#dvbi";
import { Catalogue } from "./catalogue.ts";
import { FeedFixture } from "./feed_fixture.ts";

const { hls, dash } = manifestMediaTypes;

/** A list of services, each with the paths of its manifests. */
function list(version: number, services: Readonly<Record<string, readonly string[]>>): string {
  return encodeServiceList({
    id: "tag:example.org,2026:list",
    version,
    language: "en",
    name: "Test",
    providerName: "Example",
    relatedMaterials: [],
    lcnTables: [],
    services: Object.entries(services).map(([name, paths]) => ({
      uniqueIdentifier: `tag:example.org,2026:${name}`,
      version: 1,
      serviceName: name,
      providerName: "Example",
      relatedMaterials: [],
      serviceInstances: paths.map((path, priority) => ({
        priority,
        delivery: path.endsWith(".mpd")
          ? { kind: "dash", uri: path, contentType: dash }
          : { kind: "identifier", uri: path, contentType: hls },
      })),
    })),
  });
}

function playlist(name: string): string {
  return `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n${name}-1.ts\n`;
}

async function withCatalogue(
  first: string,
  test: (fixture: FeedFixture, catalogue: Catalogue) => Promise<void>,
): Promise<void> {
  const fixture = new FeedFixture();
  fixture.objects.set("/list.xml", first);
  for (const name of ["one", "two"]) {
    fixture.objects.set(`/${name}.m3u8`, playlist(name));
    fixture.objects.set(`/${name}-1.ts`, `segment of ${name}`);
  }
  const options = { serviceListKey: "/list.xml", onChange: () => {} };
  const catalogue = new Catalogue(fixture.context, options);
  catalogue.start();
  try {
    await test(fixture, catalogue);
  } finally {
    await catalogue.stop();
  }
}

Deno.test("each service of the list gets its own sessions, from 10 up", async () => {
  const services = { one: ["http://dvb.gw/one.m3u8"], two: ["http://cdn.example/two.m3u8"] };
  await withCatalogue(list(1, services), async (fixture, catalogue) => {
    await fixture.until("both", () => !!fixture.find("/one.m3u8") && !!fixture.find("/two.m3u8"));
    assert.equal(fixture.find("/list.xml")?.tsi, 1);
    assert.deepEqual([fixture.find("/one-1.ts")?.tsi, fixture.find("/two-1.ts")?.tsi], [10, 11]);
    const described = catalogue.describe()?.map(({ identifier, manifests, streams }) => {
      return [identifier, manifests.map(({ key }) => key), streams.map(({ tsi }) => tsi)];
    });
    assert.deepEqual(described, [
      ["tag:example.org,2026:one", ["/one.m3u8"], [10]],
      ["tag:example.org,2026:two", ["/two.m3u8"], [11]],
    ]);
    assert.deepEqual(catalogue.status.map(({ name }) => name), ["one", "two"]);
  });
});

Deno.test("a service that leaves the list leaves the air, and the others stay where they are", async () => {
  const both = list(1, { one: ["/one.m3u8"], two: ["/two.m3u8"] });
  await withCatalogue(both, async (fixture, catalogue) => {
    await fixture.until("both", () => !!fixture.find("/one.m3u8") && !!fixture.find("/two.m3u8"));
    fixture.objects.set("/list.xml", list(2, { two: ["/two.m3u8"] }));
    fixture.purge("url", "/list.xml"); // makes it asked for at once
    catalogue.recheck();
    await fixture.until("one service", () => catalogue.describe()?.length === 1);
    const arrivals = fixture.arrivals.filter(({ path }) => path.startsWith("/two")).length;
    fixture.nowMs += 20_000;
    fixture.send();
    fixture.nowMs += 1000;
    const tsis = new Set(fixture.send().map(({ packet }) => packet[9])); // TSI of 16 bits
    assert.deepEqual([...tsis].sort(), [1, 11]);
    assert.equal(fixture.arrivals.filter(({ path }) => path.startsWith("/two")).length, arrivals);
  });
});

Deno.test("a list that cannot be read is counted, and the services stay", async () => {
  await withCatalogue(list(1, { one: ["/one.m3u8"] }), async (fixture, catalogue) => {
    await fixture.until("the service", () => !!fixture.find("/one.m3u8"));
    fixture.objects.set("/list.xml", "<ServiceList");
    fixture.purge("url", "/list.xml", { soft: true });
    catalogue.recheck();
    await fixture.until("a rejection", () => fixture.counters.documentsRejected.total > 0);
    assert.equal(catalogue.describe()?.length, 1);
  });
});

Deno.test("a manifest that fails does not keep the others from the air", async () => {
  const services = { one: ["/missing.m3u8", "/one.m3u8", "/one.mpd"] };
  await withCatalogue(list(1, services), async (fixture, catalogue) => {
    const mpd = `<MPD><Period/></MPD>`;
    fixture.objects.set("/one.mpd", mpd);
    await fixture.until("the manifest", () => fixture.find("/one.mpd")?.text === mpd);
    const [service] = catalogue.describe() ?? [];
    assert.deepEqual(service.manifests.map(({ id, key }) => [id, key]), [
      ["hls-2", "/one.m3u8"],
      ["dash-3", "/one.mpd"],
    ]);
    // The manifest rides in the session of the stream.
    assert.deepEqual(service.streams.map(({ tsi }) => tsi), [10]);
    assert.ok(fixture.counters.fetchFailures.of("not_found") > 0);
    fixture.objects.set("/missing.m3u8", playlist("two"));
    await fixture.until("the late one", () => !!fixture.find("/missing.m3u8"));
  });
});

Deno.test("a service with a DASH manifest alone has a session for it", async () => {
  await withCatalogue(list(1, { one: ["/one.mpd"] }), async (fixture, catalogue) => {
    fixture.objects.set("/one.mpd", "<MPD><Period/></MPD>");
    await fixture.until("the manifest", () => !!fixture.find("/one.mpd"));
    const [{ streams }] = catalogue.describe() ?? [];
    assert.deepEqual(streams, [{
      tsi: 10,
      components: [{ type: "generic", manifestIdRef: "dash-1", componentIdentifier: "dash-1" }],
      hasInit: false,
    }]);
  });
});
