import assert from "node:assert/strict";
import { keyOf, referencedKey, resolve, transportUri } from "./object_key.ts";

const base = new URL("http://cdn.example.org/one/cmaf/video.m3u8");

// What a playlist may say, and the key that comes out.
const rows = [
  { reference: "video-1.m4s", key: "/one/cmaf/video-1.m4s" },
  { reference: "../a.ts?t=1#x", key: "/one/a.ts?t=1" },
  { reference: "/top/%7ea.ts", key: "/top/~a.ts" },
  { reference: "http://cdn.example.org/b.ts", key: "/b.ts" },
  { reference: "http://ads.example.net/b.ts", key: undefined },
  { reference: "data:text/plain,a", key: undefined },
  { reference: "http://[", key: undefined },
  { reference: `/${"a".repeat(2000)}`, key: undefined },
];

for (const { reference, key } of rows) {
  Deno.test(`referencedKey() makes ${key} of ${reference.slice(0, 40)}`, () => {
    assert.equal(referencedKey(reference, base), key);
  });
}

Deno.test("a transport object URI is the key behind the base", () => {
  assert.equal(transportUri("/one/a.ts?t=1"), "http://dvb.gw/one/a.ts?t=1");
});

Deno.test("keyOf() leaves out host and fragment", () => {
  assert.equal(keyOf(resolve("https://other.example/x#y", base)!), "/x");
});
