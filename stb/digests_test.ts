import assert from "node:assert/strict";
import { matchesFile } from "./digests.ts";

const bytes = new TextEncoder().encode("abc");
const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const md5 = "900150983cd24fb0d6963f7d28e17f72";
const wrong = "0".repeat(64);

// What an FDT entry says, and whether "abc" is that file.
const rows = [
  { what: "SHA-256", file: { digests: { reprSha256: sha256 } }, want: true },
  { what: "another SHA-256", file: { digests: { reprSha256: wrong } }, want: false },
  {
    what: "SHA-256 of the plain bytes on the wire",
    file: { digests: { contentSha256: sha256 } },
    want: true,
  },
  {
    what: "SHA-256 of encoded bytes, which says nothing",
    file: { contentEncoding: "gzip", digests: { contentSha256: wrong } },
    want: true,
  },
  { what: "MD5", file: { digests: { md5 } }, want: true },
  { what: "another MD5", file: { digests: { md5: wrong.slice(32) } }, want: false },
  {
    what: "SHA-256 and a wrong MD5",
    file: { digests: { reprSha256: sha256, md5: wrong } },
    want: true,
  },
  { what: "the length alone", file: { digests: {}, contentLength: 3 }, want: true },
  {
    what: "another length",
    file: { digests: { reprSha256: sha256 }, contentLength: 4 },
    want: false,
  },
  { what: "the length on the wire", file: { digests: {}, transferLength: 4 }, want: false },
  {
    what: "the encoded length",
    file: { contentEncoding: "gzip", digests: {}, transferLength: 9 },
    want: true,
  },
];

for (const { what, file, want } of rows) {
  Deno.test(`matchesFile() is ${want} for ${what}`, () => {
    assert.equal(matchesFile(file, bytes), want);
  });
}
