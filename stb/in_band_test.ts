import assert from "node:assert/strict";
import { InBandVersions } from "./in_band.ts";

const version = (tag: string, channel: string) => ({ tag, tags: [], fillSeq: 0, channel });

Deno.test("InBandVersions knows the version announced last", () => {
  const versions = new InBandVersions();
  versions.announce("/one/index.m3u8", version('"1"', "a/10"));
  assert.equal(versions.find("/one/index.m3u8", '"1"')?.channel, "a/10");
  assert.equal(versions.find("/two/index.m3u8", '"1"'), undefined);
  versions.announce("/one/index.m3u8", version('"2"', "a/10"));
  assert.equal(versions.find("/one/index.m3u8", '"1"'), undefined);
  assert.ok(versions.find("/one/index.m3u8", '"2"'));
});

Deno.test("InBandVersions forgets what a complete list does not name, and what has no tag", () => {
  const versions = new InBandVersions();
  versions.announce("/a", version('"1"', "x"));
  versions.announce("/b", version('"1"', "x"));
  versions.announce("/c", version('"1"', "y"));
  versions.keep("x", new Set(["/a"]));
  assert.ok(versions.find("/a", '"1"') && versions.find("/c", '"1"'));
  assert.equal(versions.find("/b", '"1"'), undefined);
  versions.announce("/a", undefined);
  assert.equal(versions.find("/a", '"1"'), undefined);
});

Deno.test("InBandVersions is bounded", () => {
  const versions = new InBandVersions();
  for (let i = 0; i <= 5000; i++) versions.announce(`/${i}`, version('"1"', "x"));
  assert.equal(versions.find("/0", '"1"'), undefined);
  assert.ok(versions.find("/5000", '"1"'));
});
