import assert from "node:assert/strict";
import fc from "fast-check";
import { knownFieldName } from "./field_names.ts";
import { encodeOctets } from "./octets.ts";

const find = (text: string) => {
  const octets = encodeOctets(`--${text}--`);
  return knownFieldName(octets, 2, 2 + text.length);
};

for (const name of ["host", "user-agent", "te", "range", "x-playback-session-id", "sec-ch-ua"]) {
  Deno.test(`knownFieldName() knows ${name} in either case`, () => {
    assert.equal(find(name), name);
    assert.equal(find(name.toUpperCase()), name);
    assert.equal(find(name.replace(/^./, (letter) => letter.toUpperCase())), name);
  });
}

Deno.test("knownFieldName() never takes a token for another", () => {
  const characters = "!#$%&'*+-.^_`|~09AZaz".split("").concat("hostRANGEte".split(""));
  const token = fc.array(fc.constantFrom(...characters), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(token, (parts) => {
    const text = parts.join("");
    const known = find(text);
    if (known !== undefined) assert.equal(known, text.toLowerCase());
  }));
  for (
    const text of ["h\x4fst", "hos\x54", "ho_st", "range_", "rang", "x", "iF_match"]
  ) {
    const known = find(text);
    assert.ok(known === undefined || known === text.toLowerCase(), text);
  }
});
