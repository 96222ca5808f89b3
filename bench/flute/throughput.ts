/**
 * `deno run -A bench/flute/throughput.ts [rounds]`: what FLUTE costs without sockets: CPU microseconds
 * a packet to send (partition, encode) and to receive (decode, assemble, SHA-256), and what share of
 * one core the default transponder (61 Mbit/s) would take.
 *
 * @module
 */

import { FluteReceiver, FluteSender } from "#flute";

const rounds = Number(Deno.args[0] ?? 7);
const objectBytes = 190_000; // a media segment of the demo channel
const objects = 200;
const transponderBitsPerSecond = 61e6;

/** CPU seconds of this process. */
function cpuSeconds(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function send(): Uint8Array[] {
  const sender = new FluteSender({ tsi: 10, fdtValiditySeconds: 3600 });
  const packets: Uint8Array[] = [];
  for (let n = 0; n < objects; n++) {
    const body = new Uint8Array(objectBytes).fill(n);
    const contentLocation = `http://dvb.gw/one/seg-${n}.ts`;
    const toi = sender.add({ contentLocation, body, contentType: "video/mp2t" }, n);
    packets.push(...sender.fdtPackets(n), ...sender.objectPackets(toi));
    sender.remove(toi, n);
  }
  return packets;
}

async function receive(packets: readonly Uint8Array[]): Promise<void> {
  const verifying: Promise<unknown>[] = [];
  const receiver = new FluteReceiver({
    onEvent(event) {
      if (event.kind === "complete") verifying.push(event.object.content());
    },
  });
  for (const [n, packet] of packets.entries()) receiver.receive(packet, "192.0.2.1", n / 5);
  const whole = (await Promise.all(verifying)).filter((content) => typeof content !== "string");
  if (whole.length !== objects) {
    throw new Error(`Cannot measure: need ${objects} objects: received ${whole.length}`);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

const sending: number[] = [];
const receiving: number[] = [];
for (let round = 0; round <= rounds; round++) {
  const start = cpuSeconds();
  const packets = send();
  const sent = cpuSeconds();
  await receive(packets);
  const received = cpuSeconds();
  if (round === 0) continue; // warm-up
  sending.push((sent - start) / packets.length * 1e6);
  receiving.push((received - sent) / packets.length * 1e6);
}

const packetsPerSecond = transponderBitsPerSecond / 8 / 1440;
const row = (what: string, costs: readonly number[]) => {
  const cost = median(costs);
  const share = (cost * packetsPerSecond / 1e4).toFixed(1);
  return `| ${what} | ${cost.toFixed(2)} | ${(1400 * 8 / cost).toFixed(0)} | ${share} % |\n`;
};
const table =
  `FLUTE, ${objects} objects of ${objectBytes} bytes, symbols of 1400 bytes, median of ${rounds} rounds

| side | CPU us/packet | Mbit/s a core | of a core at 61 Mbit/s |
| --- | ---: | ---: | ---: |
${row("send", sending)}${row("receive, with SHA-256", receiving)}`;
Deno.stdout.writeSync(new TextEncoder().encode(table));
