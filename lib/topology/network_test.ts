import assert from "node:assert/strict";
import fc from "fast-check";
import { NetworkTable, parseNetwork } from "./network.ts";

const table = new NetworkTable([
  ["10.0.0.0/8", "eu"],
  ["10.1.0.0/16", "us"],
  ["10.1.2.3/32", "ap"],
  ["2001:db8::/32", "eu"],
  ["2001:db8:1::/48", "us"],
  ["0.0.0.0/0", "rest"],
  ["10.0.0.0/8", "never"],
  ["not a network", "never"],
]);

const rows: [address: string, value: string | undefined][] = [
  ["10.9.9.9", "eu"],
  ["10.1.9.9", "us"],
  ["10.1.2.3", "ap"],
  ["192.0.2.1", "rest"],
  ["::ffff:10.1.9.9", "us"],
  ["2001:db8:2::1", "eu"],
  ["2001:DB8:1:0:0:0:0:1", "us"],
  ["2001:db9::1", undefined],
  ["::1", undefined],
  ["fe80::1%eth0", undefined],
  ["10.1.2", undefined],
  ["", undefined],
];
for (const [address, value] of rows) {
  Deno.test(`the longest network around ${address || "nothing"} is ${value ?? "none"}'s`, () => {
    assert.equal(table.find(address), value);
  });
}

Deno.test("parseNetwork() clears host bits and refuses what is no network", () => {
  assert.deepEqual(parseNetwork("10.1.2.3/8"), { version: 4, prefix: 10n << 24n, bits: 8 });
  assert.deepEqual(parseNetwork("::1/0"), { version: 6, prefix: 0n, bits: 0 });
  for (const bad of ["10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0/8", "1.2.3.4/-1", "a/8", "/8"]) {
    assert.equal(parseNetwork(bad), undefined, bad);
  }
});

Deno.test("whatever is no address is in no network, and nothing throws", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (text) => {
    table.find(text);
    parseNetwork(text);
    parseNetwork(`${text}/8`);
  }));
});

Deno.test("an address is in a network exactly when they share its bits", () => {
  const byte = fc.nat(255);
  fc.assert(
    fc.property(byte, byte, byte, byte, fc.nat(32), fc.nat(31), (a, b, c, d, bits, flip) => {
      const value = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
      const text = (n: number) => [24, 16, 8, 0].map((by) => (n >>> by) & 255).join(".");
      const one = new NetworkTable([[`${text(value)}/${bits}`, true]]);
      assert.equal(one.find(text((value ^ (2 ** (31 - flip))) >>> 0)) ?? false, flip >= bits);
    }),
  );
});
