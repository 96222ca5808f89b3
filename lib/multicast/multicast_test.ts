import assert from "node:assert/strict";
import { openReceiver, openSender, probeMulticast } from "./mod.ts";

const loopback = "127.0.0.1";

/** Why this machine cannot run a test that needs multicast; `true` when it can. */
const works = await probeMulticast(loopback);
const multicast = works === true
  ? { ignore: false, name: "" }
  : { ignore: true, name: ` (skipped: ${works})` };

for (const group of ["239.255.30.1", loopback]) {
  const kind = group === loopback ? "unicast" : "multicast";
  const { ignore, name } = kind === "multicast" ? multicast : { ignore: false, name: "" };
  Deno.test({
    name: `datagrams go round by ${kind} on the loopback${name}`,
    ignore,
    fn: async () => {
      const receiver = await openReceiver({ group, port: 0, interface: loopback });
      const to = { host: group, port: receiver.address.port };
      const sender = await openSender({ to, interface: loopback, ttl: 3 });
      try {
        assert.equal(receiver.multicast, kind === "multicast");
        assert.equal(receiver.address.host, group);
        const buffer = new Uint8Array(65_536);
        for (const text of ["first", "second"]) {
          assert.equal(await sender.send(new TextEncoder().encode(text)), "sent");
          const got = await receiver.receive(buffer);
          assert.equal(new TextDecoder().decode(got?.bytes), text);
          assert.equal(got?.source, loopback);
        }
      } finally {
        sender.close();
        receiver.close();
      }
      assert.equal(await sender.send(new Uint8Array(1)), "closed");
      assert.equal(await receiver.receive(new Uint8Array(1)), undefined);
    },
  });
}

Deno.test({
  name: `a receiver hears only its own group${multicast.name}`,
  ignore: multicast.ignore,
  fn: async () => {
    const mine = await openReceiver({ group: "239.255.30.2", port: 0, interface: loopback });
    const { port } = mine.address;
    const other = await openReceiver({ group: "239.255.30.3", port, interface: loopback });
    const toOther = await openSender({ to: { host: "239.255.30.3", port }, interface: loopback });
    const toMine = await openSender({ to: { host: "239.255.30.2", port }, interface: loopback });
    try {
      await toOther.send(Uint8Array.of(1));
      await toMine.send(Uint8Array.of(2));
      assert.deepEqual((await mine.receive(new Uint8Array(9)))?.bytes, Uint8Array.of(2));
      assert.deepEqual((await other.receive(new Uint8Array(9)))?.bytes, Uint8Array.of(1));
    } finally {
      for (const socket of [mine, other, toMine, toOther]) socket.close();
    }
  },
});

Deno.test("close() ends a receive() that waits", async () => {
  const receiver = await openReceiver({ group: loopback, port: 0, interface: loopback });
  const waiting = receiver.receive(new Uint8Array(16));
  receiver.close();
  receiver.close();
  assert.equal(await waiting, undefined);
});

Deno.test("the receive buffer is raised, or a sentence says why not", async () => {
  const asked = 1 << 20;
  const receiver = await openReceiver({
    group: loopback,
    port: 0,
    interface: loopback,
    receiveBufferBytes: asked,
  });
  receiver.close();
  const { receiveBufferBytes = 0, receiveBufferNote } = receiver;
  if (receiveBufferBytes >= 2 * asked) assert.equal(receiveBufferNote, undefined);
  else assert.match(receiveBufferNote ?? "", /^Cannot raise the receive buffer.*: received /);
});

const bad = [
  { what: "no IPv4 address", options: { group: "group", port: 1, interface: loopback } },
  { what: "a number above 255", options: { group: "239.1.1.256", port: 1, interface: loopback } },
  { what: "a bad port", options: { group: loopback, port: 65_536, interface: loopback } },
  { what: "a foreign address", options: { group: "192.0.2.1", port: 0, interface: loopback } },
  { what: "a foreign interface", options: { group: "239.1.1.1", port: 0, interface: "192.0.2.1" } },
];

for (const { what, options } of bad) {
  Deno.test(`openReceiver() refuses ${what} in one sentence`, async () => {
    await assert.rejects(
      openReceiver(options),
      /^\w*Error: Cannot receive from .* need .*: received /,
    );
  });
}

Deno.test("openSender() refuses an interface that is not here, and a bad TTL", async () => {
  const to = { host: "239.1.1.1", port: 9 };
  const pattern = /^\w*Error: Cannot send to .* need .*: received |ttl must be/;
  await assert.rejects(openSender({ to, interface: "192.0.2.1" }), pattern);
  await assert.rejects(openSender({ to, interface: loopback, ttl: 256 }), pattern);
});

Deno.test("probeMulticast() says why not", async () => {
  assert.match(String(await probeMulticast("192.0.2.1")), /^Cannot .* need .*: received /);
});
