import assert from "node:assert/strict";
import { InBandVersions } from "./in_band.ts";

const heard = () => true;

Deno.test("InBandVersions confirms the version announced last, while its channel is heard", () => {
  const versions = new InBandVersions();
  versions.announce("/one/index.m3u8", '"1"', "a/10");
  assert.ok(versions.confirms("/one/index.m3u8", '"1"', heard));
  assert.ok(!versions.confirms("/one/index.m3u8", '"1"', () => false));
  assert.ok(!versions.confirms("/two/index.m3u8", '"1"', heard));
  versions.announce("/one/index.m3u8", '"2"', "a/10");
  assert.ok(!versions.confirms("/one/index.m3u8", '"1"', heard));
  assert.ok(versions.confirms("/one/index.m3u8", '"2"', heard));
});

Deno.test("InBandVersions forgets what a complete list does not name, and what has no tag", () => {
  const versions = new InBandVersions();
  versions.announce("/a", '"1"', "x");
  versions.announce("/b", '"1"', "x");
  versions.announce("/c", '"1"', "y");
  versions.keep("x", new Set(["/a"]));
  assert.ok(versions.confirms("/a", '"1"', heard) && versions.confirms("/c", '"1"', heard));
  assert.ok(!versions.confirms("/b", '"1"', heard));
  versions.announce("/a", undefined, "x");
  assert.ok(!versions.confirms("/a", '"1"', heard));
});

Deno.test("InBandVersions is bounded", () => {
  const versions = new InBandVersions();
  for (let i = 0; i <= 5000; i++) versions.announce(`/${i}`, '"1"', "x");
  assert.ok(!versions.confirms("/0", '"1"', heard));
  assert.ok(versions.confirms("/5000", '"1"', heard));
});
