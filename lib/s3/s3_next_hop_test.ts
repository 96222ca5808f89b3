import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { NextHopRequest } from "#cache";
import { type Field, fieldValue } from "#http";
import { missingForS3, type S3Server, s3Uploader, startS3 } from "#rigs";
import { s3NextHop } from "./s3_next_hop.ts";

const missing = missingForS3();
let server: Promise<S3Server> | undefined;

/** Registers a test against the one real server of this file. */
function test(name: string, run: (bucket: Bucket) => Promise<void>): void {
  Deno.test({
    name: missing ? `${name} (${missing})` : name,
    ignore: missing !== undefined,
    sanitizeOps: false, // connections rest in a pool
    sanitizeResources: false,
    fn: async () => await run(await Bucket.open(await (server ??= startS3()))),
  });
}

/** A bucket of its own for each test. */
class Bucket {
  static #count = 0;
  readonly name = `bucket-${Bucket.#count++}`;
  readonly refused: string[] = [];
  /** A signed request as an uploader makes it. */
  readonly say: ReturnType<typeof s3Uploader>;

  constructor(readonly server: S3Server) {
    this.say = s3Uploader(server, this.name);
  }

  static async open(server: S3Server): Promise<Bucket> {
    const bucket = new Bucket(server);
    await bucket.say("PUT", "");
    return bucket;
  }

  hop(change: Partial<Parameters<typeof s3NextHop>[0]> = {}, prefix = "") {
    const { endpoint, accessKeyId, secretAccessKey } = this.server;
    return s3NextHop({
      location: { bucket: this.name, prefix },
      endpoint,
      region: "us-east-1",
      credentials: () => ({ accessKeyId, secretAccessKey }),
      nowMs: Date.now,
      onRefused: (code) => this.refused.push(code),
      ...change,
    });
  }

  async get(target: string, change: Partial<NextHopRequest> = {}, hop = this.hop()) {
    const request = { method: "GET", target, fields: [], appliedSeq: 0, ...change };
    const { status, fields, body } = await hop.fetch(request);
    const bytes = Buffer.from(await new Response(body).arrayBuffer());
    hop.close();
    return { status, fields, bytes, field: (name: string) => fieldValue(fields, name) };
  }
}

test("an object comes with its fields, its surrogate keys, and nothing of S3's own", async (bucket) => {
  const meta: Field[] = [
    ["content-type", "video/mp4"],
    ["cache-control", "max-age=60"],
    ["x-amz-meta-surrogate-key", "film one"],
    ["x-amz-meta-other", "mine"],
  ];
  await bucket.say("PUT", "/a.mp4", { fields: meta, body: "bytes of a film" });
  const { status, fields, bytes, field } = await bucket.get("/a.mp4");
  assert.equal(status, 200);
  assert.equal(bytes.toString(), "bytes of a film");
  assert.equal(field("content-type"), "video/mp4");
  assert.equal(field("cache-control"), "max-age=60");
  assert.equal(field("surrogate-key"), "film one");
  assert.match(field("etag")!, /^"[0-9a-f]{32}"$/);
  assert.ok(field("last-modified"));
  assert.deepEqual(fields.filter(([name]) => name.startsWith("x-")), []);
  const head = await bucket.get("/a.mp4", { method: "HEAD" });
  assert.equal(head.field("content-length"), "15");
});

test("ranges and conditions are S3's to answer", async (bucket) => {
  await bucket.say("PUT", "/a", { body: "0123456789" });
  const ask = async (...fields: Field[]) => await bucket.get("/a", { fields });
  const part = await ask(["range", "bytes=2-4"]);
  assert.equal(
    `${part.status} ${part.bytes} ${part.field("content-range")}`,
    "206 234 bytes 2-4/10",
  );
  assert.equal((await ask(["range", "bytes=-3"])).bytes.toString(), "789");
  assert.equal((await ask(["range", "bytes=50-"])).status, 416);
  const etag = part.field("etag")!;
  assert.equal((await ask(["if-none-match", etag])).status, 304);
  assert.equal((await ask(["if-none-match", '"other"'])).status, 200);
  const modified = part.field("last-modified")!;
  assert.equal((await ask(["if-modified-since", modified])).status, 304);
  assert.equal((await ask(["if-match", '"other"'])).status, 412);
});

test("keys with every kind of character are signed as they stand on the wire", async (bucket) => {
  const keys = [
    "/a b",
    "/plus+and%2Bplus",
    "/\u00e9t\u00e9/\u4e2d\u6587.mp4",
    "/double//slash/",
    "/(1)!*'=@,;:$&~-._",
    "/100%25",
    "/emoji-\u{1f4fa}",
  ];
  for (const key of keys) {
    const target = key.replace(/[^\x21-\x7e]/gu, encodeURIComponent);
    await bucket.say("PUT", target, { body: `bytes of ${target}` });
    const { status, bytes } = await bucket.get(target);
    assert.equal(`${status} ${bytes}`, `200 bytes of ${target}`);
  }
});

test("a prefix of the origin stands before every key", async (bucket) => {
  await bucket.say("PUT", "/vod/a", { body: "in the prefix" });
  const { bytes } = await bucket.get("/a", {}, bucket.hop({}, "vod"));
  assert.equal(bytes.toString(), "in the prefix");
});

test("what is not there is 404 without a word of the bucket", async (bucket) => {
  const { status, fields, bytes } = await bucket.get("/nothing");
  assert.deepEqual([status, bytes.length], [404, 0]);
  assert.ok(!JSON.stringify(fields).includes(bucket.name));
  for (const target of ["/", "/?list-type=2", "*"]) {
    assert.equal((await bucket.get(target)).status, 404, "the bucket is not listed");
  }
});

test("only GET and HEAD are signed, and no subresource", async (bucket) => {
  await bucket.say("PUT", "/a", { body: "kept" });
  for (const method of ["PUT", "POST", "DELETE"]) {
    assert.equal((await bucket.get("/a", { method })).status, 405);
  }
  assert.equal((await bucket.get("/a?acl")).bytes.toString(), "kept");
  const fields: Field[] = [["authorization", "AWS4 nonsense"], ["cookie", "a=b"], [
    "x-amz-acl",
    "x",
  ]];
  assert.equal((await bucket.get("/a", { fields })).bytes.toString(), "kept");
});

test("an object of several parts comes whole, with its ETag of parts", async (bucket) => {
  const part = Buffer.alloc(5 * 2 ** 20, "0123456789abcdef");
  const { text } = await bucket.say("POST", "/large", { query: { uploads: "" } });
  const uploadId = /<UploadId>([^<]+)/.exec(text)![1];
  let parts = "";
  for (const partNumber of ["1", "2"]) {
    const { headers } = await bucket.say("PUT", "/large", {
      query: { partNumber, uploadId },
      body: new Uint8Array(part),
    });
    const etag = headers.get("etag");
    parts += `<Part><PartNumber>${partNumber}</PartNumber><ETag>${etag}</ETag></Part>`;
  }
  const body = `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`;
  await bucket.say("POST", "/large", { query: { uploadId }, body });
  const { bytes, field } = await bucket.get("/large");
  assert.equal(Buffer.compare(bytes, Buffer.concat([part, part])), 0);
  assert.match(field("etag")!, /^"[0-9a-f]{32}-2"$/);
  const again = await bucket.get("/large", { fields: [["if-none-match", field("etag")!]] });
  assert.equal(again.status, 304);
});

test("of a versioned bucket the newest version counts, an older one by its name", async (bucket) => {
  const body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  await bucket.say("PUT", "", { query: { versioning: "" }, body });
  const first = await bucket.say("PUT", "/a", { body: "old" });
  await bucket.say("PUT", "/a", { body: "new" });
  assert.equal((await bucket.get("/a")).bytes.toString(), "new");
  const version = first.headers.get("x-amz-version-id")!;
  assert.equal((await bucket.get(`/a?versionId=${version}`)).bytes.toString(), "old");
  await bucket.say("DELETE", "/a");
  assert.equal((await bucket.get("/a")).status, 404);
  assert.equal((await bucket.get("/a?versionId=nonsense")).status, 404);
});

test("a clock that is wrong is set right by the server's", async (bucket) => {
  await bucket.say("PUT", "/a", { body: "in time" });
  const hop = bucket.hop({ nowMs: () => Date.now() - 3 * 3600e3 });
  assert.equal((await bucket.get("/a", {}, hop)).bytes.toString(), "in time");
  assert.equal((await bucket.get("/a", {}, hop)).bytes.toString(), "in time");
  assert.deepEqual(bucket.refused, []);
});

test("credentials that are wrong are our fault, not a missing object", async (bucket) => {
  await bucket.say("PUT", "/a", { body: "kept" });
  const { accessKeyId } = bucket.server;
  const rows = [
    [{ accessKeyId, secretAccessKey: "wrong" }, "SignatureDoesNotMatch"],
    [{ accessKeyId: "NOBODY", secretAccessKey: "wrong" }, "InvalidAccessKeyId"],
  ] as const;
  for (const [credentials, code] of rows) {
    const hop = bucket.hop({ credentials: () => credentials });
    await assert.rejects(bucket.get("/a", {}, hop), /need a bucket that answers us/);
    assert.equal(bucket.refused.at(-1), code);
  }
  await assert.rejects(
    bucket.get("/a", {}, bucket.hop({ location: { bucket: "no-such-bucket", prefix: "" } })),
    /NoSuchBucket/,
  );
});

Deno.test({
  name: "the S3 server is stopped",
  ignore: missing !== undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => await (await server)?.[Symbol.asyncDispose](),
});
