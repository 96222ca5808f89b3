import assert from "node:assert/strict";
import { DiskObject } from "./disk_object.ts";
import { DiskWarmth } from "./disk_warmth.ts";

const MiB = 2 ** 20;
const object = (generation: number) => new DiskObject(`name-${generation}`, generation, MiB, MiB);

Deno.test("an object is warm once it was seen, until a gigabyte of others was", () => {
  const warmth = new DiskWarmth();
  const [one, other] = [object(1), object(2)];
  assert.ok(!warmth.has(one, 0));
  warmth.saw(one, MiB);
  assert.ok(warmth.has(one, 0) && !warmth.has(other, 0));
  for (let i = 0; i < 1023; i++) warmth.saw(other, MiB);
  assert.ok(warmth.has(one, 0));
  warmth.saw(other, MiB);
  assert.ok(!warmth.has(one, 0) && warmth.has(other, 0));
});

Deno.test("a read that took long ends the trust for a while", () => {
  const warmth = new DiskWarmth();
  const one = object(1);
  warmth.saw(one, MiB);
  warmth.took(3, 1000);
  assert.ok(warmth.has(one, 1000));
  warmth.took(30, 1000);
  assert.ok(!warmth.has(one, 10_999));
  assert.ok(warmth.has(one, 11_000));
});
