import assert from "node:assert/strict";
import type { Fill } from "#cache";
import type { FdtFile, ReceivingObject } from "#flute";
import { Arrival, type ArrivalHome } from "./arrival.ts";

// What an FDT entry says of its version, and how holes may be mended then.
const rows = [
  { says: "nothing", etag: undefined, digests: {}, by: "whole" },
  { says: "a weak tag", etag: 'W/"1"', digests: {}, by: "whole" },
  { says: "a strong tag", etag: '"1"', digests: {}, by: "ranges" },
  { says: "a digest", etag: undefined, digests: { contentSha256: "ab" }, by: "ranges" },
  { says: "an old digest", etag: undefined, digests: { md5: "ab" }, by: "ranges" },
];

for (const { says, etag, digests, by } of rows) {
  Deno.test(`an object whose FDT entry says ${says} is mended by ${by}`, async () => {
    const asked: string[] = [];
    const ask = (how: string, found: unknown) => (asked.push(how), Promise.resolve(found));
    const home = {
      admits: () => true,
      came: () => {},
      ended: () => {},
      openFill: () => ({ write: () => {}, commit: () => Promise.resolve(true) }) as unknown as Fill,
      repairTerms: () => ({ tiers: [], fixedMs: 0, randomMs: 0 }),
      repairer: {
        backOff: () => Promise.resolve(),
        mend: () => ask("ranges", true),
        fetchWhole: () => ask("whole", new Uint8Array(9)),
      },
      mostBytes: 9,
    } as unknown as ArrivalHome;
    const file = { etag, digests, transferLength: 9 } as unknown as FdtFile;
    const object = {
      file,
      repairable: true,
      complete: false,
      receivedBytes: 5,
      repairedBytes: 0,
      release: () => {},
    } as unknown as ReceivingObject;
    await new Arrival("/one/1.ts", object, home).mend();
    assert.deepEqual(asked, [by]);
  });
}
