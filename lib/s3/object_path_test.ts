import assert from "node:assert/strict";
import fc from "fast-check";
import { cacheKey } from "#cache";
import { parseLocation, s3Target } from "./object_path.ts";

const films = { bucket: "films", prefix: "" };

const rows = [
  ["/a/b.mp4", "/films/a/b.mp4"],
  ["/a b", "/films/a%20b"],
  ["/a%20b", "/films/a%20b"],
  ["/a+b", "/films/a%2Bb"],
  ["/%C3%A9t%c3%a9", "/films/%C3%A9t%C3%A9"],
  ["/\u00e9", "/films/%C3%A9"],
  ["/a//b/", "/films/a//b/"],
  ["/(1)!*'=@,;:$&~-._", "/films/%281%29%21%2A%27%3D%40%2C%3B%3A%24%26~-._"],
  ["/100%", "/films/100%25"],
  ["/a?acl", "/films/a"],
] as const;

for (const [target, path] of rows) {
  Deno.test(`${target} is the object ${path}`, () => {
    assert.equal(s3Target(films, target)?.path, path);
  });
}

Deno.test("no target lists a bucket or leaves it", () => {
  for (
    const target of [
      "/",
      "/?list-type=2",
      "*",
      "/../other/a",
      "/%2e%2e/other",
      "/a/%2e/b",
      "/a%2Fb",
      "",
    ]
  ) {
    assert.equal(s3Target(films, target), undefined, target);
  }
});

Deno.test("of the query only versionId counts", () => {
  assert.equal(s3Target(films, "/a?acl&x-amz-y=1&versionId=v%2F1&policy")?.query.versionId, "v/1");
  assert.deepEqual(s3Target(films, "/a?b=c")?.query, {});
});

Deno.test("a prefix stands before every key", () => {
  const location = parseLocation(new URL("s3://films/vod/de/"));
  assert.deepEqual(location, { bucket: "films", prefix: "vod/de" });
  assert.equal(s3Target(location!, "/a")?.path, "/films/vod/de/a");
});

Deno.test("what names no bucket is no location", () => {
  for (const url of ["s3://", "s3:///a", "s3://UPPER_case/", "s3://a", "http://films/"]) {
    assert.equal(parseLocation(new URL(url)), undefined, url);
  }
});

Deno.test("every key of a request names one object, in the same way each time", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const key = cacheKey(`/${text}`);
    const target = s3Target(films, key);
    if (target === undefined) return;
    assert.match(target.path, /^\/films\/(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})+$/);
    assert.deepEqual(s3Target(films, cacheKey(key)), target);
  }));
});
