import assert from "node:assert/strict";
import { type Fields, fieldValue } from "#http";
import type { FdtFile } from "#flute";
import { entityTagOf, isPlaylist, storedFields } from "./stored_head.ts";

const nowMs = Date.UTC(2026, 10, 22, 12);
const file: FdtFile = {
  toi: 1,
  contentLocation: "http://dvb.gw/one/seg-1.ts",
  contentType: "video/mp2t",
  digests: {},
  tags: [],
  oti: {},
};
const sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

function head(changes: Partial<FdtFile>, key = "/one/seg-1.ts"): Record<string, string> {
  const fields: Fields = storedFields(key, { ...file, ...changes }, nowMs);
  return Object.fromEntries(fields.map(([name]) => [name, fieldValue(fields, name)!]));
}

// What an FDT entry says, and the one field it decides.
const rows = [
  { what: "the type", set: {}, field: "content-type", want: "video/mp2t" },
  {
    what: "no type",
    set: { contentType: undefined },
    field: "content-type",
    want: "application/octet-stream",
  },
  {
    what: "a type with a line break",
    set: { contentType: "a/b\r\nx: y" },
    field: "content-type",
    want: "application/octet-stream",
  },
  { what: "the time", set: {}, field: "date", want: "Sun, 22 Nov 2026 12:00:00 GMT" },
  { what: "the tag", set: { etag: '"v1"' }, field: "etag", want: '"v1"' },
  { what: "a tag that is none", set: { etag: "v1" }, field: "etag", want: undefined },
  {
    what: "a digest as tag",
    set: { digests: { reprSha256: sha256 } },
    field: "etag",
    want: `"${sha256.slice(0, 32)}"`,
  },
  {
    what: "a digest",
    set: { digests: { reprSha256: sha256 } },
    field: "repr-digest",
    want: "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
  },
  {
    what: "nothing of freshness",
    set: {},
    field: "cache-control",
    want: "max-age=3600, stale-if-error=604800",
  },
  {
    what: "nothing of a playlist's",
    set: {},
    key: "/one/index.m3u8",
    field: "cache-control",
    want: "max-age=1, stale-if-error=30",
  },
  {
    what: "expiry",
    set: { cacheControl: { kind: "expires", expiresMs: nowMs + 86_400_000 } },
    field: "cache-control",
    want: "max-age=86400, stale-if-error=604800",
  },
  {
    what: "expiry in the past",
    set: { cacheControl: { kind: "expires", expiresMs: nowMs - 5000 } },
    field: "cache-control",
    want: "max-age=0, stale-if-error=604800",
  },
  {
    what: "expiry far away",
    set: { cacheControl: { kind: "expires", expiresMs: nowMs * 3 } },
    field: "cache-control",
    want: "max-age=31536000, stale-if-error=604800",
  },
  {
    what: "no_cache",
    set: { cacheControl: { kind: "no_cache" } },
    field: "cache-control",
    want: "no-cache, stale-if-error=604800",
  },
  {
    what: "max_stale",
    set: { cacheControl: { kind: "max_stale" } },
    field: "cache-control",
    want: "max-age=86400, stale-if-error=604800",
  },
] as const;

for (const row of rows) {
  const { what, set, field, want } = row;
  Deno.test(`storedFields() makes ${field} of ${what}`, () => {
    assert.equal(head(set as Partial<FdtFile>, "key" in row ? row.key : undefined)[field], want);
  });
}

Deno.test("entityTagOf() prefers the origin's tag", () => {
  assert.equal(entityTagOf({ etag: 'W/"a"', digests: { reprSha256: sha256 } }), 'W/"a"');
  assert.equal(entityTagOf({ digests: { contentSha256: sha256 } }), `"${sha256.slice(0, 32)}"`);
  assert.equal(entityTagOf({ digests: { md5: "00" } }), undefined);
});

Deno.test("isPlaylist() goes by type, then by name", () => {
  assert.ok(isPlaylist("/x", "application/vnd.apple.mpegURL"));
  assert.ok(isPlaylist("/x", "application/dash+xml; charset=utf-8"));
  assert.ok(isPlaylist("/one/index.m3u8?a=1") && isPlaylist("/one/manifest.mpd"));
  assert.ok(!isPlaylist("/one/seg-1.ts", "video/mp2t") && !isPlaylist("/files/a.mpd.zip"));
});
