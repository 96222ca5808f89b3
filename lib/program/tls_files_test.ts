import assert from "node:assert/strict";
import { BadValue } from "#config";
import { listen, readTls } from "./mod.ts";

const dir = await Deno.makeTempDir({ prefix: "tls-files-" });
const file = (name: string, text: string) => {
  Deno.writeTextFileSync(`${dir}/${name}`, text);
  return `${dir}/${name}`;
};
const block = (what: string) => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`;
const tlsCert = file("cert.pem", block("CERTIFICATE"));
const tlsKey = file("key.pem", block("PRIVATE KEY"));
const text = file("text", "no PEM at all");

const refusals = [
  { what: { tlsCert, tlsKey: undefined }, says: /^Cannot use --tls-cert: need --tls-key with it/ },
  { what: { tlsCert: undefined, tlsKey }, says: /^Cannot use --tls-key: need --tls-cert with it/ },
  { what: { tlsCert: `${dir}/none`, tlsKey }, says: /^Cannot use --tls-cert: need a readable PEM/ },
  { what: { tlsCert, tlsKey: dir }, says: /^Cannot use --tls-key: need a readable PEM file/ },
  { what: { tlsCert: text, tlsKey }, says: /^Cannot use --tls-cert: need a PEM file: received no/ },
];

for (const { what, says } of refusals) {
  Deno.test(`readTls() refuses in one sentence: ${says.source.slice(1)}`, () => {
    assert.throws(() => readTls(what), (error) => {
      return error instanceof BadValue && says.test(error.message) && !error.message.endsWith(".");
    });
  });
}

Deno.test("readTls() reads both files, or neither", () => {
  assert.equal(readTls({ tlsCert: undefined, tlsKey: undefined }), undefined);
  assert.deepEqual(readTls({ tlsCert, tlsKey }), {
    cert: block("CERTIFICATE"),
    key: block("PRIVATE KEY"),
  });
});

Deno.test("listen() names the flags when certificate and key cannot serve", () => {
  const options = { handler: () => new Response(), tls: readTls({ tlsCert, tlsKey }) };
  assert.throws(() => listen({ hostname: "127.0.0.1", port: 0 }, options), (error) => {
    return error instanceof BadValue &&
      error.message.startsWith("Cannot use --tls-cert and --tls-key: need a certificate");
  });
});

globalThis.addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
