import assert from "node:assert/strict";
import type { ServiceInstance, ServiceList } from "#dvbi";
import { isMediaOf, servicesOf } from "./services.ts";

const hls = "application/vnd.apple.mpegurl";
const dash = "application/dash+xml";

const instance = (uri: string, contentType: string, priority = 0): ServiceInstance => ({
  priority,
  delivery: { kind: contentType === dash ? "dash" : "identifier", uri, contentType },
});

function list(...services: { id: string; instances: ServiceInstance[] }[]): ServiceList {
  return {
    id: "tag:example.org,2026:list",
    version: 1,
    language: "en",
    name: "Home",
    providerName: "Home",
    relatedMaterials: [],
    lcnTables: [{
      targetRegions: [],
      lcns: [{
        channelNumber: 7,
        serviceRef: "tag:example.org,2026:one",
        selectable: true,
        visible: true,
      }],
    }],
    services: services.map(({ id, instances }) => ({
      uniqueIdentifier: id,
      version: 1,
      serviceName: `Name of ${id}`,
      providerName: "Home",
      relatedMaterials: [],
      serviceInstances: instances,
    })),
  };
}

const one = {
  id: "tag:example.org,2026:one",
  instances: [
    instance("http://dvb.gw/one/cmaf/master.m3u8", hls, 1),
    instance("http://dvb.gw/one/index.m3u8", hls, 0),
    instance("http://dvb.gw/one/cmaf/manifest.mpd", dash),
    instance("urn:nothing", dash),
  ],
};

Deno.test("servicesOf() reads paths in order of priority, name and number", () => {
  assert.deepEqual(servicesOf(list(one)), [{
    id: "one",
    uniqueIdentifier: "tag:example.org,2026:one",
    name: "Name of tag:example.org,2026:one",
    lcn: 7,
    hls: ["/one/index.m3u8", "/one/cmaf/master.m3u8"],
    dash: ["/one/cmaf/manifest.mpd"],
  }]);
});

Deno.test("servicesOf() gives each service a name of its own, fit for a path", () => {
  const services = ["tag:a:one", "tag:b:one", "tag:c:", "a/../..", "tag:d:Ünder/", "tag:e:x y"].map(
    (
      id,
      i,
    ) => ({ id, instances: [instance(`http://dvb.gw/${i}/a.m3u8`, hls)] }),
  );
  const ids = servicesOf(list(...services)).map(({ id }) => id);
  assert.deepEqual(ids, ["one", "one-2", "c", "service", "nder", "x-y"]);
});

Deno.test("servicesOf() leaves out what has no manifest", () => {
  assert.deepEqual(servicesOf(list({ id: "tag:x:tv", instances: [] })), []);
});

Deno.test("isMediaOf() takes segments below a manifest's folder and no manifests", () => {
  const services = servicesOf(list(one));
  for (const key of ["/one/seg-1.ts", "/one/cmaf/video-1.m4s", "/one/cmaf/video-init.mp4?x"]) {
    assert.ok(isMediaOf(services, key), key);
  }
  for (
    const key of ["/one/index.m3u8", "/one/cmaf/manifest.mpd", "/files/a.mp4", "/dvbi/services.xml"]
  ) {
    assert.ok(!isMediaOf(services, key), key);
  }
  assert.ok(isMediaOf([], "/one/seg-1.ts") && !isMediaOf([], "/dvbi/services.xml"));
});
