import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readCapture } from "#multicast";
import { Listener } from "./channel_for_tests.ts";

const vectors = new URL("../../../shared/vectors/lct/", import.meta.url);

// What independent senders sent; the captures were cut, so the last object may be incomplete.
const captures = [
  { file: "libflute.pcap", complete: 1, digests: 1, instances: 2 },
  { file: "gpac-boot.pcap", complete: 4, digests: 4, instances: 1 },
  { file: "gpac-svc.pcap", complete: 11, digests: 0, instances: 13 },
];

for (const { file, complete, digests, instances } of captures) {
  const bytes = readIfPresent(file);
  Deno.test({
    name: `every object of ${file} is rebuilt and its digest holds` +
      (bytes ? "" : " (skipped: ../shared/vectors is not here)"),
    ignore: !bytes,
    fn: async () => {
      const datagrams = readCapture(bytes ?? new Uint8Array());
      assert.ok(typeof datagrams !== "string");
      const listener = new Listener();
      for (const { payload, from } of datagrams) listener.hear([payload], from.host);
      assert.equal(listener.of("fdt").length, instances);
      assert.equal(listener.of("refused").length, 0);
      const objects = listener.of("complete").map(({ object }) => object);
      assert.equal(objects.length, complete);
      assert.equal(objects.filter((object) => object.file.digests.md5).length, digests);
      for (const object of objects) {
        const content = await object.content();
        assert.ok(typeof content !== "string", `${object.file.contentLocation}: ${content}`);
        if (!object.file.digests.md5) continue;
        const md5 = createHash("md5").update(content).digest("hex");
        assert.equal(md5, object.file.digests.md5);
      }
      const used = ["stored", "fdt", "fdt_repeated", "already_complete", "duplicate"];
      const unused = [...listener.receiver.counters.keys()].filter((word) => !used.includes(word));
      assert.deepEqual(unused, []);
    },
  });
}

const boot = readIfPresent("gpac-boot.pcap");
Deno.test({
  name: "gpac-boot.pcap: the gateway configuration is XML" +
    (boot ? "" : " (skipped: ../shared/vectors is not here)"),
  ignore: !boot,
  fn: async () => {
    const datagrams = readCapture(boot ?? new Uint8Array());
    assert.ok(typeof datagrams !== "string");
    const listener = new Listener();
    listener.hear(datagrams.map(({ payload }) => payload));
    const [{ object }] = listener.of("complete");
    assert.equal(object.file.contentType, "application/xml+dvb-mabr-session-configuration");
    const content = await object.content();
    assert.ok(typeof content !== "string");
    assert.match(new TextDecoder().decode(content), /MulticastGatewayConfiguration/);
  },
});

function readIfPresent(name: string): Uint8Array | undefined {
  try {
    return Deno.readFileSync(new URL(name, vectors));
  } catch {
    return undefined;
  }
}
