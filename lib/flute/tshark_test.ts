import assert from "node:assert/strict";
import { writeCapture } from "#multicast";
import { FluteSender } from "./mod.ts";
import { noise, startMs } from "./channel_for_tests.ts";

const port = 5001;

/** One line of tshark for each packet. */
const fields = [
  "rmt-lct.tsi",
  "rmt-lct.toi",
  "rmt-lct.codepoint",
  "rmt-lct.flags.close_object",
  "rmt-lct.flags.close_session",
  "rmt-lct.flute_version",
  "rmt-lct.fdt_instance_id",
  "rmt-fec.fti.transfer_length",
  "rmt-fec.fti.encoding_symbol_length",
  "rmt-fec.sbn",
  "rmt-fec.esi",
  "xml.attribute",
  "ip.checksum.status",
  "udp.checksum.status",
  "_ws.expert.message",
] as const;

type Line = Record<typeof fields[number], string>;

const works = await version();

/** What tshark reads of packets as if they had been captured. */
async function dissect(packets: readonly Uint8Array[]): Promise<Line[]> {
  const file = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    const from = { host: "192.0.2.1", port: 40_000 };
    const to = { host: "239.255.30.1", port };
    const datagrams = packets.map((payload, i) => ({ timeMs: startMs + i, from, to, payload }));
    await Deno.writeFile(file, writeCapture(datagrams));
    const { stdout, stderr, success } = await tshark(
      ...["-r", file, "-d", `udp.port==${port},alc`, "-T", "fields"],
      ...["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"],
      ...["-E", "separator=|", "-E", "aggregator=\t"],
      ...fields.flatMap((field) => ["-e", field]),
    );
    const text = new TextDecoder();
    assert.ok(success, text.decode(stderr));
    return text.decode(stdout).trimEnd().split("\n").map((line) => {
      const values = line.split("|");
      return Object.fromEntries(fields.map((field, i) => [field, values[i]])) as Line;
    });
  } finally {
    await Deno.remove(file);
  }
}

for (const tsi of [10, 70_000]) {
  Deno.test({
    name: `tshark reads what we send with TSI ${tsi} as we mean it, without a complaint` +
      (works === true ? "" : ` (skipped: ${works})`),
    ignore: works !== true,
    fn: async () => {
      const sender = new FluteSender({
        tsi,
        maxSourceBlockSymbols: 2,
        firstFdtInstanceId: 77,
      });
      const toi = sender.add({
        contentLocation: "http://dvb.gw/one/seg-1.ts?a=1&b=2",
        body: noise(5100),
        contentType: "video/mp2t",
        etag: '"v1"',
        maxAgeSeconds: 60,
        purgeSeq: 3,
        tags: ["one"],
      }, startMs);
      const fdt = sender.fdtPackets(startMs, { closing: true });
      assert.equal(fdt.length, 1, "tshark has to see the whole document at once");
      const passes = [...sender.objectPackets(toi)];
      const lines = await dissect([...fdt, ...passes]);

      assert.equal(lines.length, 1 + passes.length);
      for (const line of lines) {
        assert.equal(line["rmt-lct.tsi"], String(tsi));
        assert.equal(line["rmt-lct.codepoint"], "0");
        assert.equal(line["ip.checksum.status"], "1");
        assert.equal(line["udp.checksum.status"], "1");
        assert.equal(line["_ws.expert.message"], "");
      }
      const [announcement, ...files] = lines;
      const attributes = announcement["xml.attribute"].split("\t");
      assert.ok(attributes.includes('TOI="1"'));
      assert.ok(attributes.includes('Content-Location="http://dvb.gw/one/seg-1.ts?a=1&amp;b=2"'));
      assert.ok(attributes.includes('Transfer-Length="5100"'));
      assert.ok(attributes.includes('dl:Surrogate-Keys="one"'));
      assert.equal(announcement["rmt-lct.toi"], "0");
      assert.equal(announcement["rmt-lct.flute_version"], "1");
      assert.equal(announcement["rmt-lct.fdt_instance_id"], "77");
      assert.equal(announcement["rmt-lct.flags.close_session"], "1");
      const xmlBytes = fdt[0].length - 4 - fdt[0][2] * 4;
      assert.equal(announcement["rmt-fec.fti.transfer_length"], String(xmlBytes));
      assert.equal(announcement["rmt-fec.fti.encoding_symbol_length"], "1400");
      assert.ok(files.every((line) => line["rmt-lct.toi"] === String(toi)));
      assert.deepEqual(
        files.map((line) => `${line["rmt-fec.sbn"]}/${Number(line["rmt-fec.esi"])}`),
        ["0/0", "0/1", "1/0", "1/1"],
      );
      assert.deepEqual(
        files.map((line) => line["rmt-lct.flags.close_object"]),
        ["0", "0", "0", "1"],
      );
    },
  });
}

function tshark(...args: string[]): Promise<Deno.CommandOutput> {
  return new Deno.Command("tshark", { args, stdin: "null" }).output();
}

/** True when tshark is here; else why not. */
async function version(): Promise<true | string> {
  try {
    const { success, stdout } = await tshark("--version");
    if (!success) return "tshark does not run here";
    return new TextDecoder().decode(stdout).includes("TShark") || "tshark is another program here";
  } catch {
    return "tshark is not installed";
  }
}
