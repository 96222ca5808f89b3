/**
 * Writes an XML document from a small tree.
 *
 * @module
 */

/** An element to write; `name` carries its prefix. */
export interface XmlNode {
  readonly name: string;
  /** Left out where `undefined`. */
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Character data, or the elements inside in document order. */
  readonly content: string | readonly XmlNode[];
}

/** Builds an {@linkcode XmlNode}; `undefined` among the children is left out. */
export function node(
  name: string,
  attributes: XmlNode["attributes"] = {},
  content: string | readonly (XmlNode | undefined)[] = [],
): XmlNode {
  if (typeof content === "string") return { name, attributes, content };
  return { name, attributes, content: content.filter((child) => child !== undefined) };
}

/** Returns the document with its declaration, indented by two spaces, as text to send in UTF-8. */
export function writeXml(root: XmlNode): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${write(root, "")}\n`;
}

function write({ name, attributes, content }: XmlNode, indent: string): string {
  let open = `${indent}<${name}`;
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== undefined) open += ` ${attribute}="${escape(String(value))}"`;
  }
  if (content.length === 0) return `${open}/>`;
  if (typeof content === "string") return `${open}>${escape(content)}</${name}>`;
  const inside = content.map((child) => write(child, `${indent}  `)).join("\n");
  return `${open}>\n${inside}\n${indent}</${name}>`;
}

const escapes: Readonly<Record<string, string>> = {
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  '"': "&quot;",
  // References, since a reader turns the bare characters of an attribute into spaces.
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** What XML 1.0 cannot carry in any form (section 2.2). */
// deno-lint-ignore no-control-regex -- control characters are what it looks for
const forbidden = /[\0-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/;

function escape(text: string): string {
  if (forbidden.test(text) || !text.isWellFormed()) {
    throw new RangeError(
      `Cannot write XML: text must hold XML 1.0 characters only: received ${JSON.stringify(text)}`,
    );
  }
  return text.replace(/[<>&"\t\n\r]/g, (character) => escapes[character]);
}
