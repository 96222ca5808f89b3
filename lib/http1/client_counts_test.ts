import assert from "node:assert/strict";
import { ClientCounts, clientOf } from "./client_counts.ts";

const rows = [
  { hostname: "192.0.2.1", client: "192.0.2.1" },
  { hostname: "::ffff:192.0.2.1", client: "192.0.2.1" },
  { hostname: "127.0.0.1", client: undefined },
  { hostname: "::ffff:127.0.0.9", client: undefined },
  { hostname: "::1", client: undefined },
  { hostname: "2001:db8:1:2:3:4:5:6", client: "2001:db8:1:2/64" },
  { hostname: "2001:db8:1:2::9", client: "2001:db8:1:2/64" },
  { hostname: "2001:db8::9", client: "2001:db8:0:0/64" },
  { hostname: "fe80::1%eth0", client: "fe80:0:0:0/64" },
];

for (const { hostname, client } of rows) {
  Deno.test(`clientOf(${hostname}) is ${client}`, () => {
    assert.equal(clientOf(hostname), client);
  });
}

Deno.test("ClientCounts admits up to the cap, each client for itself, loopback always", () => {
  const counts = new ClientCounts();
  assert.ok(counts.admit("a", 2) && counts.admit("a", 2) && !counts.admit("a", 2));
  assert.ok(counts.admit("b", 2));
  for (let n = 0; n < 5; n++) assert.ok(counts.admit(undefined, 1));
  counts.leave("a");
  assert.ok(counts.admit("a", 2));
  for (const client of ["a", "a", "b", undefined]) counts.leave(client);
  assert.equal(counts.size, 0);
});
