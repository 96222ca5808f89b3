import assert from "node:assert/strict";
import { siblingsOf, throughOwner } from "./siblings.ts";

const at = (port: number, hostname = "127.0.0.1") => ({ hostname, port });
const shield = { id: "shield", url: "http://shield/" };

Deno.test("all siblings agree on one owner for each key, and each owns a share", () => {
  const ports = [9201, 9202, 9203];
  const siblings = ports.map((port) =>
    siblingsOf([at(port), ...ports.filter((other) => other !== port).map((other) => at(other))])!
  );
  const owned = new Map<string, number>();
  for (let n = 0; n < 300; n++) {
    const routes = siblings.map((one) => throughOwner(`/${n}.ts`, one, [shield]));
    const [owner, ...none] = siblings.filter((_, i) => routes[i].length === 1);
    assert.equal(none.length, 0);
    for (const [i, route] of routes.entries()) {
      const through = siblings[i] === owner ? [] : [owner.id];
      assert.deepEqual(route.map(({ id }) => id), [...through, "shield"]);
    }
    owned.set(owner.id, (owned.get(owner.id) ?? 0) + 1);
  }
  for (const share of owned.values()) assert.ok(share > 60, `${share} of 300`);
  assert.equal(owned.size, 3);
});

for (
  const { why, addresses } of [
    { why: "one alone", addresses: [at(9201)] },
    { why: "one twice", addresses: [at(9201), at(9201)] },
    { why: "one that is not on loopback", addresses: [at(9201), at(9202, "10.0.0.1")] },
  ]
) {
  Deno.test(`siblingsOf() refuses ${why}`, () => {
    assert.throws(
      () => siblingsOf(addresses),
      /^BadValue: Cannot use --siblings: need two or more/,
    );
  });
}

Deno.test("a process without --siblings has none", () => {
  assert.equal(siblingsOf(undefined), undefined);
});
