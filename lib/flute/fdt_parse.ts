/**
 * Reading FDT instance documents from anyone: names are matched without their namespace, because senders use four
 * of them, and entities are never expanded.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { XMLParser } from "fast-xml-parser";
import { fromNtp, normalToi, type Toi } from "#lct";
import type { FdtCacheControl, FdtFile, FdtInstance, FdtOti } from "./fdt.ts";
import { base64ToHex, parseSha256Field } from "./digests.ts";

/** Why a document is no usable FDT instance. */
export type FdtRejection = "fdt_bad_xml" | "fdt_too_many_files";

/** What bounds the reading. */
export interface FdtParseOptions {
  /** Resolves the 32-bit NTP seconds of cache expiry; milliseconds since the Unix epoch. */
  readonly nowMs: number;
  readonly maxFiles: number;
}

type Attributes = Record<string, unknown>;

const longestLocation = 2048;
const longestText = 512;
const mostTags = 64;

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  isArray: (name) => name === "File",
});

/**
 * Parses a document.
 *
 * @param document UTF-8, already decoded when EXT_CENC says it was compressed.
 */
export function parseFdt(
  document: Uint8Array,
  { nowMs, maxFiles }: FdtParseOptions,
): FdtInstance | FdtRejection {
  const root = readRoot(new TextDecoder().decode(document));
  if (!root) return "fdt_bad_xml";
  const expiresNtp = integer(root["@Expires"], 2 ** 32 - 1);
  const entries = Array.isArray(root.File) ? root.File as unknown[] : [];
  if (expiresNtp === undefined || entries.length === 0) return "fdt_bad_xml";
  if (entries.length > maxFiles) return "fdt_too_many_files";
  const files: FdtFile[] = [];
  for (const entry of entries) {
    const file = isElement(entry) && readFile(entry, root, nowMs);
    if (file) files.push(file);
  }
  if (files.length === 0) return "fdt_bad_xml";
  return {
    expiresNtp,
    complete: flag(root["@Complete"]),
    full: flag(root["@FullFDT"]),
    files,
    skippedFiles: entries.length - files.length,
  };
}

/** A document type is refused: nothing that FLUTE needs comes from one. */
function readRoot(text: string): Attributes | undefined {
  if (text.includes("<!DOCTYPE")) return undefined;
  try {
    const root: unknown = (parser.parse(text) as Attributes)["FDT-Instance"];
    return isElement(root) ? root : undefined;
  } catch {
    return undefined; // the parser throws on malformed text
  }
}

function readFile(entry: Attributes, root: Attributes, nowMs: number): FdtFile | undefined {
  const inherited = (name: string) => entry[name] ?? root[name];
  const toi = readToi(entry["@TOI"]);
  const contentLocation = text(entry["@Content-Location"], longestLocation);
  if (toi === undefined || !contentLocation) return undefined;
  const contentEncoding = text(inherited("@Content-Encoding"))?.toLowerCase();
  return {
    toi,
    contentLocation,
    contentType: text(inherited("@Content-Type")),
    contentEncoding: contentEncoding === "identity" ? undefined : contentEncoding,
    contentLength: integer(entry["@Content-Length"]),
    transferLength: integer(entry["@Transfer-Length"]),
    digests: {
      md5: base64ToHex(text(entry["@Content-MD5"]) ?? "", 16),
      contentSha256: parseSha256Field(text(entry["@Content-Digest"]) ?? ""),
      reprSha256: parseSha256Field(text(entry["@Repr-Digest"]) ?? ""),
    },
    etag: text(entry["@File-ETag"]),
    cacheControl: readCacheControl(entry["Cache-Control"], nowMs),
    purgeSeq: integer(entry["@Purge-Sequence"]),
    tags: readTags(entry["@Surrogate-Keys"]),
    oti: readOti(inherited),
  };
}

/** File attributes override those of the instance one by one. */
function readOti(inherited: (name: string) => unknown): FdtOti {
  const specific = text(inherited("@FEC-OTI-Scheme-Specific-Info"));
  return {
    encodingId: integer(inherited("@FEC-OTI-FEC-Encoding-ID"), 255),
    instanceId: integer(inherited("@FEC-OTI-FEC-Instance-ID"), 65_535),
    symbolBytes: integer(inherited("@FEC-OTI-Encoding-Symbol-Length")),
    maxSourceBlockSymbols: integer(inherited("@FEC-OTI-Maximum-Source-Block-Length")),
    maxEncodingSymbols: integer(inherited("@FEC-OTI-Max-Number-of-Encoding-Symbols")),
    schemeSpecific: specific === undefined
      ? undefined
      : Uint8Array.from(Buffer.from(specific, "base64")),
  };
}

function readCacheControl(element: unknown, nowMs: number): FdtCacheControl | undefined {
  if (!isElement(element)) return undefined;
  const expires = integer(element.Expires, 2 ** 32 - 1);
  if (expires !== undefined) return { kind: "expires", expiresMs: fromNtp(expires, 0, nowMs) };
  if (flag(element["no-cache"])) return { kind: "no_cache" };
  return flag(element["max-stale"]) ? { kind: "max_stale" } : undefined;
}

/** TOI 0 is the FDT itself. */
function readToi(value: unknown): Toi | undefined {
  if (typeof value !== "string" || !/^\d{1,34}$/.test(value)) return undefined;
  const toi = BigInt(value);
  return toi > 0n && toi < 1n << 112n ? normalToi(toi) : undefined;
}

function readTags(value: unknown): string[] {
  const all = text(value, mostTags * longestText)?.split(/\s+/) ?? [];
  return all.filter((tag) => tag !== "").slice(0, mostTags);
}

function integer(value: unknown, most = Number.MAX_SAFE_INTEGER): number | undefined {
  if (typeof value !== "string" || !/^\d{1,16}$/.test(value)) return undefined;
  return Number(value) <= most ? Number(value) : undefined;
}

function flag(value: unknown): boolean {
  return value === "true" || value === "1";
}

/**
 * The attribute's text, copied: a part of the document would keep the whole document in memory for as long as the file
 * is listed.
 */
function text(value: unknown, longest = longestText): string | undefined {
  if (typeof value !== "string" || value.length > longest) return undefined;
  return Buffer.from(unescape(value)).toString();
}

const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescape(value: string): string {
  if (!value.includes("&")) return value;
  return value.replace(
    /&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/g,
    (whole, name?: string, decimal?: string, hex?: string) => {
      if (name) return named[name];
      const code = decimal ? Number(decimal) : parseInt(hex ?? "", 16);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

function isElement(value: unknown): value is Attributes {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
