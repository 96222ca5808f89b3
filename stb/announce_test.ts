import assert from "node:assert/strict";
// @ts-types="@types/multicast-dns"
import multicastDns from "multicast-dns";
import { announce, type Announced, answerTo, recordsOf } from "./announce.ts";

const box: Announced = {
  name: "stb-1",
  address: { hostname: "192.0.2.7", port: 8090 },
  machineAddresses: ["192.0.2.7", "198.51.100.7", "fe80::1"],
  version: "0.1.0",
};

Deno.test("recordsOf() names the box, its port, its address and its page", () => {
  const byType = Object.fromEntries(recordsOf(box).map((record) => [record.type, record]));
  assert.deepEqual(byType.PTR.data, "stb-1._downlink._tcp.local");
  assert.deepEqual(byType.SRV.data, { priority: 0, weight: 0, port: 8090, target: "stb-1.local" });
  assert.deepEqual(byType.TXT.data, ["path=/ui/", "version=0.1.0"]);
  assert.deepEqual(byType.A.data, "192.0.2.7");
});

Deno.test("recordsOf() lists the machine's IPv4 addresses for an unspecified one", () => {
  const records = recordsOf({ ...box, address: { hostname: "0.0.0.0", port: 1 } });
  const addresses = records.filter(({ type }) => type === "A").map(({ data }) => data);
  assert.deepEqual(addresses, ["192.0.2.7", "198.51.100.7"]);
});

Deno.test("recordsOf() makes one label of any name", () => {
  const [, pointer] = recordsOf({ ...box, name: "living room.tv".repeat(9) });
  assert.match(String(pointer.data), /^[A-Za-z0-9_-]{63}\._downlink\._tcp\.local$/);
});

// Who asks for what, and which records answer.
const rows = [
  { ask: "_downlink._tcp.local", type: "PTR", answers: ["PTR"], additionals: 3 },
  { ask: "_services._dns-sd._udp.local", type: "PTR", answers: ["PTR"], additionals: 4 },
  { ask: "STB-1._downlink._tcp.LOCAL", type: "SRV", answers: ["SRV"], additionals: 3 },
  { ask: "stb-1._downlink._tcp.local", type: "ANY", answers: ["SRV", "TXT"], additionals: 2 },
  { ask: "stb-1.local", type: "A", answers: ["A"], additionals: 3 },
  { ask: "stb-1.local", type: "AAAA", answers: [], additionals: 0 },
  { ask: "_airplay._tcp.local", type: "PTR", answers: [], additionals: 0 },
];

for (const { ask, type, ...want } of rows) {
  Deno.test(`answerTo() gives ${want.answers.join(" and ") || "nothing"} for ${type} of ${ask}`, () => {
    const { answers, additionals } = answerTo([{ name: ask, type }], recordsOf(box));
    assert.deepEqual(answers.map((record) => record.type), want.answers);
    assert.equal(additionals.length, want.additionals);
  });
}

Deno.test("announce() answers on the loopback and says goodbye, or says why not", async () => {
  const notes: string[] = [];
  const loopback = { ...box, address: { hostname: "127.0.0.1", port: 8090 } };
  const announcement = announce(loopback, {
    interfaceAddress: "127.0.0.1",
    onNote: (sentence) => notes.push(sentence),
  });
  const asker = multicastDns({ interface: "127.0.0.1", bind: "0.0.0.0", loopback: true });
  asker.on("error", (error: Error) => notes.push(error.message));
  asker.on("warning", (error: Error) => notes.push(error.message));
  const heard: { data: unknown; ttl?: number }[] = [];
  asker.on("response", ({ answers }) => {
    for (const answer of answers) {
      if (answer.name === "_downlink._tcp.local" && answer.type === "PTR") heard.push(answer);
    }
  });
  const until = async (condition: () => boolean) => {
    for (let i = 0; i < 40 && !condition() && notes.length === 0; i++) {
      asker.query("_downlink._tcp.local", "PTR");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  await until(() => heard.length > 0);
  await announcement.end();
  await until(() => heard.some(({ ttl }) => ttl === 0));
  await new Promise<void>((resolve) => asker.destroy(resolve));
  if (notes.length > 0) return assert.match(notes[0], /^Cannot announce by mDNS: need|EINVAL/);
  assert.equal(heard[0].data, "stb-1._downlink._tcp.local");
  assert.equal(heard.at(-1)?.ttl, 0);
});
