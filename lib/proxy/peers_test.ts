import assert from "node:assert/strict";
import { peersOf, peersParameter } from "./peers.ts";

// One row an address: inside or outside of 10.0.0.0/8 and fd00::/8.
const rows = [
  { address: "10.1.2.3", inside: true },
  { address: "11.1.2.3", inside: false },
  { address: "fd00::7", inside: true },
  { address: "2001:db8::1", inside: false },
  { address: "::ffff:10.1.2.3", inside: true },
  { address: "not an address", inside: false },
];

for (const { address, inside } of rows) {
  Deno.test(`a peer ${inside ? "is" : "is not"} at ${address}`, () => {
    assert.equal(peersOf(["10.0.0.0/8", "fd00::/8"]).has(address), inside);
  });
}

Deno.test("--peers refuses what is no address block", () => {
  for (const text of ["10.0.0.0", "10.0.0.0/33", "all", "::/129", "10.0.0.256/8"]) {
    assert.throws(() => peersParameter().read(text), /need address blocks such as/);
  }
});
