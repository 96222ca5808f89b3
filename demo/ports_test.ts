import assert from "node:assert/strict";
import { Ports } from "./ports.ts";

Deno.test("the usual port is given when it is free, another when it is taken", () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const other = new Ports({ usual: true }).tcp(port);
  assert.notEqual(other, port);
  taken.close();
  const ports = new Ports({ usual: true });
  assert.equal(ports.tcp(port), port);
  assert.notEqual(ports.tcp(port), port);
});

Deno.test("a check leaves the usual ports alone, and no port is given twice", () => {
  const ports = new Ports({ usual: false });
  const given = Array.from({ length: 20 }, () => ports.udp(5000));
  assert.equal(new Set(given).size, 20);
  assert.ok(!given.includes(5000));
});

Deno.test("a port on which another receiver has joined the group is not given", () => {
  const group = { hostname: "239.255.70.7", transport: "udp", reuseAddress: true } as const;
  const joined = Deno.listenDatagram({ ...group, port: 0 });
  const { port } = joined.addr as Deno.NetAddr;
  assert.notEqual(new Ports({ usual: true }).udp(port, group.hostname), port);
  joined.close();
});
