import assert from "node:assert/strict";
import fc from "fast-check";
import { growthOf } from "#rigs";
import { readXml, type XmlElement } from "./reader.ts";
import { node, writeXml, type XmlNode } from "./writer.ts";

const limits = { maxLength: 2 ** 20, maxDepth: 8 };

function read(document: string | Uint8Array): XmlElement {
  const root = readXml(document, limits);
  if (typeof root === "string") assert.fail(root);
  return root;
}

Deno.test("readXml() resolves namespaces, characters and sections", () => {
  const root = read(
    `\u{feff}<?xml version="1.0"?><!-- c --><e:a xmlns:e="urn:one" xmlns="urn:two" b="1 &amp; &#x41;" e:b="2" e:c="3">
       t &lt;<![CDATA[<x>&amp;]]> &#65;<b/><e:b xmlns:e="urn:three"/><c xmlns=""/>&unknown; &#0;
     </e:a>`,
  );
  assert.equal(root.name, "a");
  assert.equal(root.namespace, "urn:one");
  assert.deepEqual(root.attributes, new Map([["b", "1 & A"], ["c", "3"]]));
  assert.equal(root.text, "t <<x>&amp; A&unknown; \0");
  const names = root.children.map(({ name, namespace }) => [name, namespace]);
  assert.deepEqual(names, [["b", "urn:two"], ["b", "urn:three"], ["c", ""]]);
});

const refused = [
  { word: "not_well_formed", document: "" },
  { word: "not_well_formed", document: "text" },
  { word: "not_well_formed", document: "<a>" },
  { word: "not_well_formed", document: "<a></b>" },
  { word: "not_well_formed", document: "<a b='1' b='2'/>" },
  { word: "not_well_formed", document: "<a/><b/>" },
  { word: "not_well_formed", document: "<__proto__/>" },
  { word: "doctype", document: "<!DOCTYPE a><a/>" },
  { word: "not_utf8", document: Uint8Array.of(0x3C, 0x61, 0xFF) },
  { word: "too_deep", document: "<a>".repeat(9) + "</a>".repeat(9) },
  { word: "too_large", document: " ".repeat(2 ** 20) + "<a/>" },
];
for (const { word, document } of refused) {
  Deno.test(`readXml() refuses ${word}: ${String(document).trim().slice(0, 16)}`, () => {
    assert.equal(readXml(document, limits), word);
  });
}

Deno.test("readXml() never throws", () => {
  const piece = fc.constantFrom("<a", ">", "</a>", "/>", " b=", '"', "&#", ";", "<![CDATA[", "]]>");
  const text = fc.array(fc.oneof(piece, fc.string({ unit: "binary" }))).map((all) => all.join(""));
  fc.assert(fc.property(fc.oneof(text, fc.uint8Array()), (noise) => {
    readXml(noise, limits);
  }));
});

// The work must grow with the length, not with its square.
const repeated = [
  "<",
  "<a>",
  "<a ",
  "&",
  "&#1;",
  "<!---->",
  "<![CDATA[]]>",
  "='",
  "<?a ",
  "</",
  "<!",
];
for (const piece of repeated) {
  Deno.test(`readXml() is done in time with a million characters of ${piece}`, () => {
    const read = (length: number) =>
      void readXml("<a>" + piece.repeat((length - 8) / piece.length) + "</a>", limits);
    assert.ok(growthOf(read, 2 ** 20) < 64);
  });
}

Deno.test("what is written is read unchanged", () => {
  const text = fc.string({ unit: "grapheme" }).map((s) => `x${s}x`)
    // deno-lint-ignore no-control-regex -- what XML cannot carry
    .filter((s) => s.isWellFormed() && !/[\0-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/.test(s));
  const leaf = fc.record({ b: text, content: text }, { noNullPrototype: true });
  fc.assert(fc.property(fc.array(leaf), (leaves) => {
    const tree = node("a", { none: undefined, n: 1 }, [
      undefined,
      ...leaves.map(({ b, content }): XmlNode => node("c", { b }, content)),
    ]);
    const root = read(writeXml(tree));
    assert.deepEqual([...root.attributes], [["n", "1"]]);
    const readLeaves = root.children.map(({ attributes, text }) => ({
      b: attributes.get("b"),
      content: text,
    }));
    assert.deepEqual(readLeaves, leaves);
  }));
});

for (const text of ["a\0b", "\u{ffff}", "\ud800"]) {
  Deno.test(`writeXml() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => writeXml(node("a", {}, text)), RangeError);
    assert.throws(() => writeXml(node("a", { b: text })), RangeError);
  });
}
