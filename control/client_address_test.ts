import assert from "node:assert/strict";
import { TrustedProxies } from "./client_address.ts";

const proxies = new TrustedProxies(["10.0.0.0/8", "fd00::/8"]);
const rows: { remote?: string; field?: string; client?: string; what: string }[] = [
  {
    what: "a client that comes itself",
    remote: "192.0.2.1",
    field: "198.51.100.1",
    client: "192.0.2.1",
  },
  { what: "one load balancer", remote: "10.0.0.1", field: "198.51.100.1", client: "198.51.100.1" },
  {
    what: "a field that the client made up",
    remote: "10.0.0.1",
    field: "203.0.113.9, 198.51.100.1",
    client: "198.51.100.1",
  },
  {
    what: "two load balancers",
    remote: "fd00::1",
    field: "198.51.100.1, 10.9.9.9",
    client: "198.51.100.1",
  },
  { what: "a load balancer that says nothing", remote: "10.0.0.1", client: "10.0.0.1" },
  { what: "only load balancers", remote: "10.0.0.1", field: "10.0.0.2", client: "10.0.0.1" },
  { what: "no socket at all" },
];
for (const { what, remote, field, client } of rows) {
  Deno.test(`the client of ${what} is ${client ?? "nobody"}`, () => {
    assert.equal(proxies.clientOf(remote, field), client);
  });
}
