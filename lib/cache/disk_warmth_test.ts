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

Deno.test("many slow reads end the trust for a while, a few among quick ones do not", () => {
  const warmth = new DiskWarmth();
  const one = object(1);
  warmth.saw(one, MiB);
  for (let i = 0; i < 1000; i++) warmth.took(i % 30 === 0 ? 50 : 0.1, 1000);
  assert.ok(warmth.has(one, 1000));
  for (let i = 0; i < 5; i++) warmth.took(50, 1000);
  assert.ok(!warmth.has(one, 5999));
  assert.ok(warmth.has(one, 6000));
});
