import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { blockBytes, BlockChecksums } from "./disk_record.ts";
import { assertBytes, suiteBody } from "./store_suite.ts";

// Deno 2.4 optimizes crc32() after some thousand calls; only then does it go wrong with a start value.
Deno.test("checksums of a body in many pieces stay right when their code has become hot", () => {
  const body = suiteBody(3, blockBytes + 1000);
  const expected = [crc32(body.slice(0, blockBytes)), crc32(body.slice(blockBytes))];
  for (let turn = 0; turn < 3000; turn++) {
    const checksums = new BlockChecksums();
    for (let at = 0; at < body.length; at += 1500 + turn % 700) {
      checksums.add(body.subarray(at, at + 1500 + turn % 700));
    }
    assert.deepEqual(checksums.values, expected, `turn ${turn}`);
  }
  assertBytes(body, suiteBody(3, blockBytes + 1000), "what was summed");
});
