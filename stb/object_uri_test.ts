import assert from "node:assert/strict";
import fc from "fast-check";
import { objectKey, repairTarget } from "./object_uri.ts";

// One row for each form a Content-Location takes.
const uris = [
  { uri: "http://dvb.gw/one/seg-1.ts", key: "/one/seg-1.ts" },
  { uri: "https://cdn.example/one/a.m4s?b=1", key: "/one/a.m4s?b=1" },
  { uri: "HTTP://DVB.GW/one/A.ts", key: "/one/A.ts" },
  { uri: "/one/seg-1.ts", key: "/one/seg-1.ts" },
  { uri: "http://dvb.gw/one/../two/%7Ea.ts", key: "/two/~a.ts" },
  { uri: "http://dvb.gw/", key: "/" },
  { uri: "http://dvb.gw", key: undefined },
  { uri: "//dvb.gw/one", key: undefined },
  { uri: "one/seg-1.ts", key: undefined },
  { uri: "http://dvb.gw/one.mp4?isLast#100", key: undefined },
  { uri: "urn:dvb:metadata:nativeip:dvb-i-slep", key: undefined },
  { uri: "file:///etc/passwd", key: undefined },
  { uri: "http://dvb.gw/a b", key: undefined },
  { uri: "http://dvb.gw/a\r\nx: y", key: undefined },
  { uri: `http://dvb.gw/${"a".repeat(5000)}`, key: undefined },
];

for (const { uri, key } of uris) {
  Deno.test(`objectKey() makes ${key} of ${JSON.stringify(uri.slice(0, 60))}`, () => {
    assert.equal(objectKey(uri), key);
  });
}

Deno.test("objectKey() never throws, and gives nothing but rooted paths", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true })), (uri) => {
    const key = objectKey(uri);
    assert.ok(key === undefined || (key.startsWith("/") && !/[\s#\\]/.test(key)));
  }));
});

// One row for each way a repair server stands for the objects.
const targets = [
  { of: undefined, key: "/one/a.ts", target: "/one/a.ts" },
  { of: "http://dvb.gw/", key: "/one/a.ts", target: "/one/a.ts" },
  { of: "http://dvb.gw/x.org/", key: "/x.org/one/a.ts?b", target: "/one/a.ts?b" },
  { of: "http://dvb.gw/x.org", key: "/x.org/a.ts", target: "/a.ts" },
  { of: "http://dvb.gw/x.org/", key: "/y.org/a.ts", target: undefined },
  { of: "http://dvb.gw/x", key: "/xy/a.ts", target: undefined },
  { of: "urn:nonsense", key: "/one/a.ts", target: "/one/a.ts" },
];

for (const { of, key, target } of targets) {
  Deno.test(`repairTarget() asks a server for ${of ?? "everything"} for ${target}`, () => {
    assert.equal(repairTarget(key, of), target);
  });
}
