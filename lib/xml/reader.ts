/**
 * Reads an XML document from a stranger into a small tree, bounded in size and depth.
 *
 * No document type is accepted, so there are no entities to expand but the five of XML itself.
 * Namespaces are resolved, so that a caller can tell its own elements from an extension's.
 *
 * @module
 */

import { XMLParser, XMLValidator } from "fast-xml-parser";

/** An element with its namespace resolved. */
export interface XmlElement {
  /** Name without prefix. */
  readonly name: string;
  /** Namespace URI, `""` for none. */
  readonly namespace: string;
  /** Values by local name; where two differ only in prefix, the one without prefix. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** All character data directly inside, joined and trimmed. */
  readonly text: string;
}

/** Why a document was refused as a whole. */
export type XmlRejection = "too_large" | "not_utf8" | "doctype" | "too_deep" | "not_well_formed";

/** Bounds on what is read. */
export interface XmlLimits {
  /** Length of the document: bytes, or UTF-16 units of text. */
  readonly maxLength: number;
  /** Elements inside one another. */
  readonly maxDepth: number;
}

const textKey = "#text";
const cdataKey = "#cdata";
const attributesKey = ":@";

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  textNodeName: textKey,
  cdataPropName: cdataKey,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  // Our own bound is tighter; this one keeps the parser's stack small on the way there.
  maxNestedTags: 256,
});

/** One node as the parser gives it: `{ [name]: children, ":@": attributes }`. */
type ParsedNode = Readonly<Record<string, unknown>>;

/** Prefixes in scope; `""` is the default namespace. */
type Scope = ReadonlyMap<string, string>;

/**
 * Returns the root element, or why there is none. Never throws.
 *
 * @param document Text, or bytes in UTF-8.
 */
export function readXml(
  document: string | Uint8Array,
  limits: XmlLimits,
): XmlElement | XmlRejection {
  if (document.length > limits.maxLength) return "too_large";
  const text = typeof document === "string" ? document : decodeUtf8(document);
  if (text === undefined) return "not_utf8";
  if (text.includes("<!DOCTYPE") || text.includes("<!ENTITY")) return "doctype";
  const nodes = parseNodes(text.startsWith("\uFEFF") ? text.slice(1) : text);
  const roots = nodes?.filter((node) => elementName(node) !== undefined);
  if (roots?.length !== 1) return "not_well_formed";
  return element(roots[0], new Map(), limits.maxDepth) ?? "too_deep";
}

/** Returns the children with a local name, in document order. */
export function childrenNamed(parent: XmlElement, ...names: readonly string[]): XmlElement[] {
  return parent.children.filter(({ name }) => names.includes(name));
}

/** Returns the first child with a local name. */
export function firstNamed(parent: XmlElement, name: string): XmlElement | undefined {
  return parent.children.find((child) => child.name === name);
}

/** Reads an unsigned decimal of at most 15 digits; `undefined` for anything else. */
export function parseUnsigned(text: string | undefined): number | undefined {
  const digits = text?.trim();
  return digits !== undefined && /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parseNodes(document: string): readonly ParsedNode[] | undefined {
  try {
    if (XMLValidator.validate(document) !== true) return undefined;
    return parser.parse(document);
  } catch {
    return undefined; // the parser throws for what its validator does not see
  }
}

/** Builds an element and what is inside it; `undefined` when that is too deep. */
function element(node: ParsedNode, outer: Scope, depthLeft: number): XmlElement | undefined {
  if (depthLeft === 0) return undefined;
  const qualified = elementName(node)!;
  const raw = (node[attributesKey] ?? {}) as Readonly<Record<string, string>>;
  const scope = innerScope(raw, outer);
  const [prefix, name] = split(qualified);
  const children: XmlElement[] = [];
  let text = "";
  for (const child of node[qualified] as readonly ParsedNode[]) {
    if (textKey in child) text += decodeCharacters(String(child[textKey]));
    else if (cdataKey in child) text += cdata(child);
    else {
      const inner = element(child, scope, depthLeft - 1);
      if (inner === undefined) return undefined;
      children.push(inner);
    }
  }
  const namespace = scope.get(prefix) ?? "";
  return { name, namespace, attributes: localAttributes(raw), children, text: text.trim() };
}

function elementName(node: ParsedNode): string | undefined {
  for (const key in node) {
    if (key !== attributesKey && key !== textKey && key !== cdataKey) return key;
  }
}

function cdata(node: ParsedNode): string {
  return (node[cdataKey] as readonly ParsedNode[]).map((part) => String(part[textKey])).join("");
}

function split(qualified: string): [prefix: string, name: string] {
  const colon = qualified.indexOf(":");
  return colon < 0 ? ["", qualified] : [qualified.slice(0, colon), qualified.slice(colon + 1)];
}

function innerScope(raw: Readonly<Record<string, string>>, outer: Scope): Scope {
  let scope: Map<string, string> | undefined;
  for (const [name, value] of Object.entries(raw)) {
    if (name !== "xmlns" && !name.startsWith("xmlns:")) continue;
    scope ??= new Map(outer);
    scope.set(name === "xmlns" ? "" : name.slice("xmlns:".length), decodeCharacters(value));
  }
  return scope ?? outer;
}

function localAttributes(raw: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const [qualified, value] of Object.entries(raw)) {
    const [prefix, name] = split(qualified);
    if (prefix === "xmlns" || qualified === "xmlns") continue;
    if (prefix === "" || !attributes.has(name)) attributes.set(name, decodeCharacters(value));
  }
  return attributes;
}

const named: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

/** Resolves character references and the five named ones (XML 1.0 section 4.6); others stay as is. */
function decodeCharacters(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(
    /&(?:#x([0-9A-Fa-f]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot|apos));/g,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return named[name];
      const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
      return code <= 0x10FFFF ? String.fromCodePoint(code) : whole;
    },
  );
}
