import assert from "node:assert/strict";
import fc from "fast-check";
import { byteRangesBoundary, MultipartReader } from "./multipart_ranges.ts";

/** Feeds a body in pieces and returns what came of it. */
function read(boundary: string, body: string | Uint8Array, pieceBytes = 7) {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const parts: { range: readonly [number, number]; complete?: number; text: string }[] = [];
  const reader = new MultipartReader(boundary, {
    part: (range, complete) => (parts.push({ range, complete, text: "" }), true),
    bytes: (chunk) => void (parts[parts.length - 1].text += new TextDecoder().decode(chunk)),
  });
  let outcome: string = "ok";
  for (let at = 0; at < bytes.length && outcome === "ok"; at += pieceBytes) {
    outcome = reader.push(bytes.subarray(at, at + pieceBytes));
  }
  return { outcome, parts, done: reader.done };
}

const two = [
  "--B",
  "Content-Type: video/mp2t",
  "Content-Range: bytes 0-3/100",
  "",
  "abcd",
  "--B",
  "content-range:bytes 10-11/*",
  "",
  "xy",
  "--B--",
  "",
].join("\r\n");

for (const pieceBytes of [1, 2, 7, 1000]) {
  Deno.test(`MultipartReader reads two parts in pieces of ${pieceBytes}`, () => {
    assert.deepEqual(read("B", two, pieceBytes), {
      outcome: "ok",
      done: true,
      parts: [
        { range: [0, 4], complete: 100, text: "abcd" },
        { range: [10, 12], complete: undefined, text: "xy" },
      ],
    });
  });
}

const part = (range: string, body: string) => `--B\r\nContent-Range: ${range}\r\n\r\n${body}\r\n`;

// What servers get wrong, and what RFC 2046 allows.
const rows = [
  {
    what: "an empty line and a preamble first",
    body: `pre\r\n\r\n${part("bytes 0-0/2", "a")}--B--`,
    want: "ok",
  },
  {
    what: "bare line feeds",
    body: part("bytes 0-0/2", "a").replaceAll("\r", "") + "--B--",
    want: "ok",
  },
  {
    what: "white space after a boundary",
    body: "--B \t\r\nContent-Range: bytes 0-0/2\r\n\r\na\r\n--B--",
    want: "ok",
  },
  {
    what: "a body that holds a boundary",
    body: part("bytes 0-4/9", "--B--") + "--B--",
    want: "ok",
  },
  {
    what: "another boundary",
    body: part("bytes 0-0/2", "a").replace("--B", "--C"),
    want: "bad_boundary",
  },
  { what: "no Content-Range", body: "--B\r\nContent-Type: a/b\r\n\r\na", want: "bad_part_head" },
  {
    what: "two Content-Ranges",
    body: "--B\r\nContent-Range: bytes 0-0/2\r\nContent-Range: bytes 1-1/2\r\n\r\na",
    want: "bad_part_head",
  },
  {
    what: "a range that ends before it starts",
    body: part("bytes 5-4/9", ""),
    want: "bad_content_range",
  },
  { what: "an unsatisfied range", body: part("bytes */9", ""), want: "bad_content_range" },
  { what: "a part longer than it says", body: part("bytes 0-0/9", "abc"), want: "bad_part_end" },
  { what: "an endless head", body: `--B\r\nX: ${"a".repeat(5000)}`, want: "part_head_too_long" },
  { what: "an endless preamble line", body: "a".repeat(5000), want: "part_head_too_long" },
  { what: "hundreds of parts", body: part("bytes 0-0/2", "a").repeat(300), want: "too_many_parts" },
];

for (const { what, body, want } of rows) {
  Deno.test(`MultipartReader answers ${want} to ${what}`, () => {
    const { outcome, done } = read("B", body);
    assert.equal(outcome, want);
    if (want === "ok") assert.ok(done);
  });
}

Deno.test("MultipartReader obeys a sink that refuses a range", () => {
  const reader = new MultipartReader("B", {
    part: () => false,
    bytes: () => assert.fail("no bytes"),
  });
  assert.equal(reader.push(new TextEncoder().encode(two)), "bad_content_range");
});

Deno.test("MultipartReader never throws and gives no more bytes than it was given", () => {
  const words = fc.constantFrom(
    "--B",
    "\r\n",
    "\n",
    "--",
    "Content-Range: bytes 0-3/9",
    "\r\n\r\n",
    "abcd",
    "B",
  );
  const soup = fc.array(fc.oneof(words, fc.string())).map((parts) => parts.join(""));
  fc.assert(fc.property(soup, fc.integer({ min: 1, max: 50 }), (body, pieceBytes) => {
    const { parts } = read("B", body, pieceBytes);
    assert.ok(parts.every(({ range, text }) => text.length <= range[1] - range[0]));
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (body) => void read("B", body)));
});

// One row for each form of the media type.
const types = [
  { type: "multipart/byteranges; boundary=abc", want: "abc" },
  { type: 'Multipart/ByteRanges;Boundary="a b"', want: "a b" },
  { type: "multipart/byteranges; charset=x; boundary=abc; y=z", want: "abc" },
  { type: "multipart/mixed; boundary=abc", want: undefined },
  { type: "multipart/byterangesx; boundary=abc", want: undefined },
  { type: "multipart/byteranges", want: undefined },
  { type: 'multipart/byteranges; boundary=""', want: undefined },
  { type: `multipart/byteranges; boundary=${"a".repeat(71)}`, want: undefined },
  { type: "video/mp2t", want: undefined },
];

for (const { type, want } of types) {
  Deno.test(`byteRangesBoundary() reads ${want} from ${type.slice(0, 60)}`, () => {
    assert.equal(byteRangesBoundary(type), want);
  });
}
