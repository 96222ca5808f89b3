import assert from "node:assert/strict";
import fc from "fast-check";
import type { FdtFile, FdtInstance } from "./mod.ts";
import { encodeFdt, fdtFileNode } from "./fdt_encode.ts";
import { parseFdt } from "./fdt_parse.ts";

const nowMs = Date.parse("2026-11-22T12:00:00Z");
const options = { nowMs, maxFiles: 100 };

function parse(xml: string): FdtInstance {
  const instance = parseFdt(new TextEncoder().encode(xml), options);
  assert.ok(typeof instance !== "string", `rejected: ${instance}`);
  return instance;
}

function reject(xml: string): string {
  const instance = parseFdt(new TextEncoder().encode(xml), options);
  assert.ok(typeof instance === "string");
  return instance;
}

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 })
  // What XML cannot carry, and white space that attribute values lose.
  .map((any) => any.replace(/[^\x21-\x7e\xa1-\u024f]/g, "x"));
const hexOf = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes })
    .map((raw) => [...raw].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
const optional = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined });
const length = fc.nat(2 ** 40);

const anyFile: fc.Arbitrary<FdtFile> = fc.record({
  toi: fc.oneof(fc.integer({ min: 1, max: 2 ** 32 }), fc.bigInt(2n ** 53n, 2n ** 112n - 1n)),
  contentLocation: text,
  contentType: optional(text),
  contentEncoding: optional(fc.constantFrom("gzip", "deflate")),
  contentLength: optional(length),
  transferLength: optional(length),
  digests: fc.record({
    md5: optional(hexOf(16)),
    contentSha256: optional(hexOf(32)),
    reprSha256: optional(hexOf(32)),
  }),
  etag: optional(text),
  cacheControl: optional(fc.oneof(
    fc.constant({ kind: "no_cache" as const }),
    fc.constant({ kind: "max_stale" as const }),
    fc.integer({ min: -30, max: 30 * 365 }).map((days) => ({
      kind: "expires" as const,
      expiresMs: nowMs + days * 86_400_000,
    })),
  )),
  purgeSeq: optional(length),
  tags: fc.array(text, { maxLength: 5 }),
  oti: fc.record({
    encodingId: optional(fc.nat(255)),
    instanceId: optional(fc.nat(65_535)),
    symbolBytes: optional(fc.integer({ min: 1, max: 65_535 })),
    maxSourceBlockSymbols: optional(fc.nat(2 ** 31)),
    maxEncodingSymbols: optional(fc.nat(65_535)),
    schemeSpecific: fc.constant(undefined),
  }),
});

Deno.test("an FDT that was written reads back", () => {
  const files = fc.array(anyFile, { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(files, fc.nat(2 ** 32 - 1), fc.boolean(), (listed, expiresNtp, full) => {
    const xml = encodeFdt({ expiresNtp, full, complete: !full }, listed.map(fdtFileNode));
    const want = { expiresNtp, full, complete: !full, files: listed, skippedFiles: 0 };
    // fast-check makes records without a prototype.
    assert.deepEqual(parse(xml), plain(want));
  }));
});

/** Copies records into ordinary objects. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

const roots = [
  {
    what: "IETF 2005",
    open: 'FDT-Instance xmlns="urn:IETF:metadata:2005:FLUTE:FDT"',
    end: "FDT-Instance",
  },
  {
    what: "RFC 6726",
    open: 'FDT-Instance xmlns="urn:ietf:params:xml:ns:fdt"',
    end: "FDT-Instance",
  },
  {
    what: "RFC 3926 sample",
    open: 'f:FDT-Instance xmlns:f="http://www.example.com/flute"',
    end: "f:FDT-Instance",
  },
  {
    what: "3GPP 2022",
    open: 'FDT-Instance xmlns="urn:3GPP:metadata:2022:FLUTE:FDT"',
    end: "FDT-Instance",
  },
];

for (const { what, open, end } of roots) {
  Deno.test(`an FDT in the namespace of ${what} is read`, () => {
    const prefix = end.startsWith("f:") ? "f:" : "";
    const { files } = parse(
      `<?xml version="1.0"?><${open} Expires="1"><${prefix}File TOI="1" Content-Location="a"/></${end}>`,
    );
    assert.equal(files[0].contentLocation, "a");
  });
}

Deno.test("an FDT as rt-libflute writes it, with 3GPP and DVB additions and instance-wide defaults", () => {
  const digest = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  const { files, ...instance } = parse(`<?xml version="1.0" encoding="UTF-8"?>
<FDT-Instance xmlns="urn:IETF:metadata:2005:FLUTE:FDT" Expires="4004338757"
  FEC-OTI-FEC-Encoding-ID="0" FEC-OTI-Maximum-Source-Block-Length="64"
  FEC-OTI-Encoding-Symbol-Length="1436" Content-Type="video/mp4" Complete="1"
  xmlns:a="urn:3GPP:metadata:2007:MBMS:FLUTE:FDT" xmlns:b="urn:3GPP:metadata:2008:MBMS:FLUTE:FDT_ext"
  xmlns:c="urn:3GPP:metadata:2012:MBMS:FLUTE:FDT" b:FullFDT="true"
  xmlns:d="urn:dvb:metadata:ExtendedFileDeliveryTable:2022">
  <c:Base-URL-1>http://x/</c:Base-URL-1>
  <File TOI="5192296858534827628530496329220095" Content-Location="http://a/?b=1&amp;c=&#50;&#x33;"
    Content-Length="3" Transfer-Length="3" c:File-ETag="&quot;v1&quot;" FEC-OTI-Encoding-Symbol-Length="500"
    Content-MD5="1B2M2Y8AsgTpgAmY7PhCfg==" d:Repr-Digest="sha-512=:AA==:, sha-256=:${digest}:">
    <a:Cache-Control><a:Expires>4004338757</a:Expires></a:Cache-Control>
    <c:Alternate-Content-Location-1>z</c:Alternate-Content-Location-1>
  </File>
  <File TOI="2" Content-Location="b" Content-Type="text/plain" Content-Encoding="GZIP">
    <a:Cache-Control><a:no-cache>true</a:no-cache></a:Cache-Control>
  </File>
  <sv:delimiter xmlns:sv="urn:3gpp:metadata:2009:MBMS:schemaVersion">0</sv:delimiter>
</FDT-Instance>`);
  assert.deepEqual(instance, {
    expiresNtp: 4_004_338_757,
    complete: true,
    full: true,
    skippedFiles: 0,
  });
  const [first, second] = files;
  assert.equal(first.toi, 2n ** 112n - 1n);
  assert.equal(first.contentLocation, "http://a/?b=1&c=23");
  assert.equal(first.contentType, "video/mp4");
  assert.equal(first.etag, '"v1"');
  assert.deepEqual(first.cacheControl, {
    kind: "expires",
    expiresMs: (4_004_338_757 - 2_208_988_800) * 1000,
  });
  assert.deepEqual(first.digests, {
    md5: "d41d8cd98f00b204e9800998ecf8427e",
    contentSha256: undefined,
    reprSha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  });
  assert.deepEqual([first.oti.symbolBytes, first.oti.maxSourceBlockSymbols], [500, 64]);
  assert.deepEqual([second.contentType, second.contentEncoding], ["text/plain", "gzip"]);
  assert.deepEqual(second.cacheControl, { kind: "no_cache" });
  assert.equal(second.oti.symbolBytes, 1436);
});

Deno.test("a File without a location or a usable TOI is left out, the others stay", () => {
  const files = [
    '<File TOI="1" Content-Location="good"/>',
    '<File TOI="0" Content-Location="a"/>',
    '<File TOI="-1" Content-Location="a"/>',
    '<File TOI="5192296858534827628530496329220096" Content-Location="a"/>',
    '<File Content-Location="a"/>',
    '<File TOI="2"/>',
    `<File TOI="2" Content-Location="${"x".repeat(2049)}"/>`,
    "<File>text</File>",
  ];
  const instance = parse(`<FDT-Instance Expires="1">${files.join("")}</FDT-Instance>`);
  assert.deepEqual(instance.files.map((file) => file.contentLocation), ["good"]);
  assert.equal(instance.skippedFiles, files.length - 1);
});

const file = '<File TOI="1" Content-Location="a"/>';
const unusable = [
  { what: "nothing", xml: "" },
  { what: "no XML", xml: "\u0000\u0001" },
  { what: "another root", xml: `<FDT Expires="1">${file}</FDT>` },
  {
    what: "two roots",
    xml: `<FDT-Instance Expires="1"/><FDT-Instance Expires="1">${file}</FDT-Instance>`,
  },
  { what: "no Expires", xml: `<FDT-Instance>${file}</FDT-Instance>` },
  {
    what: "Expires above 32 bits",
    xml: `<FDT-Instance Expires="4294967296">${file}</FDT-Instance>`,
  },
  { what: "no File", xml: `<FDT-Instance Expires="1"></FDT-Instance>` },
  { what: "a cut end", xml: `<FDT-Instance Expires="1">${file}<File TOI="2" Content-Loc` },
  {
    what: "a document type",
    xml: `<!DOCTYPE a [<!ENTITY b "c">]><FDT-Instance Expires="1">${file}</FDT-Instance>`,
  },
  { what: "deep nesting", xml: `<FDT-Instance Expires="1">${file}${"<a>".repeat(50_000)}` },
  {
    what: "a reserved name",
    xml: `<FDT-Instance Expires="1"><__proto__>a</__proto__>${file}</FDT-Instance>`,
  },
];

for (const { what, xml } of unusable) {
  Deno.test(`a document with ${what} is fdt_bad_xml`, () => {
    assert.equal(reject(xml), "fdt_bad_xml");
  });
}

Deno.test("more files than allowed are refused", () => {
  const xml = `<FDT-Instance Expires="1">${file.repeat(101)}</FDT-Instance>`;
  assert.equal(reject(xml), "fdt_too_many_files");
});

Deno.test("surrogate keys come whole or as *, which any purge by tag takes", () => {
  const tagsOf = (tags: readonly string[]) => {
    const listed = fdtFileNode({
      toi: 1,
      contentLocation: "http://a/",
      digests: {},
      tags,
      oti: {},
    });
    const xml = encodeFdt({ expiresNtp: 1, full: true, complete: false }, [listed]);
    return parse(xml).files[0].tags;
  };
  // What the headend takes for the air: 128 keys of 256 characters.
  const most = Array.from({ length: 128 }, (_, i) => `${i}-`.padEnd(256, "x"));
  assert.deepEqual(tagsOf(most), most);
  assert.deepEqual(tagsOf([...most.map((tag) => tag.slice(0, 9)), "one-more"]), ["*"]);
  assert.deepEqual(tagsOf(["x".repeat(40_000)]), ["*"]);
});

Deno.test("entities other than the five of XML stay as they are", () => {
  const { files } = parse(
    `<FDT-Instance Expires="1"><File TOI="1" Content-Location="&a;&lt;&#xFFFFFF;"/></FDT-Instance>`,
  );
  assert.equal(files[0].contentLocation, "&a;<&#xFFFFFF;");
});

Deno.test("parseFdt() never throws on random or mutated documents", () => {
  const xml = new TextEncoder().encode(
    encodeFdt({ expiresNtp: 1, full: true, complete: false }, [
      fdtFileNode({ toi: 1, contentLocation: "http://a/", digests: {}, tags: ["a"], oti: {} }),
    ]),
  );
  const mutation = fc.array(fc.tuple(fc.nat(xml.length - 1), fc.nat(255)), { maxLength: 8 });
  fc.assert(
    fc.property(mutation, fc.nat(xml.length), (changes, end) => {
      const mutated = xml.slice();
      for (const [at, byte] of changes) mutated[at] = byte;
      parseFdt(mutated, options);
      parseFdt(mutated.subarray(0, end), options);
    }),
    { numRuns: 1000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assert.equal(parseFdt(bytes, options), "fdt_bad_xml");
  }));
});
