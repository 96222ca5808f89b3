/**
 * Reading FDT instance documents from anyone: names are matched without their namespace, because
 * senders use four of them, and entities are never expanded.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { fromNtp, normalToi, type Toi } from "#lct";
import { childrenNamed, firstNamed, readXml, type XmlElement } from "#xml";
import { base64ToHex, parseSha256Field } from "./digests.ts";
import type { FdtCacheControl, FdtFile, FdtInstance, FdtOti } from "./fdt.ts";

/** Why a document is no usable FDT instance. */
export type FdtRejection = "fdt_bad_xml" | "fdt_too_many_files";

/** What bounds the reading. */
export interface FdtParseOptions {
  /** Resolves the 32-bit NTP seconds of cache expiry; milliseconds since the Unix epoch. */
  readonly nowMs: number;
  readonly maxFiles: number;
}

/** Looks up an attribute, of the file or else of the instance. */
type Lookup = (name: string) => string | undefined;

const longestLocation = 2048;
const longestText = 512;
/** As many as a cache keeps of a response, each of 256 characters. */
const mostTags = 128;
const longestTags = mostTags * 257;
/** Stands for surrogate keys that are not known: any purge by tag takes the object. */
const untoldTag = "*";

/** A `File` with an extension that nests is read; more than this nobody needs. */
const maxDepth = 16;

/**
 * Parses a document.
 *
 * @param document UTF-8, already decoded when EXT_CENC says it was compressed. Its length is the
 * caller's to bound.
 */
export function parseFdt(
  document: Uint8Array,
  { nowMs, maxFiles }: FdtParseOptions,
): FdtInstance | FdtRejection {
  const root = readXml(document, { maxLength: document.length, maxDepth });
  if (typeof root === "string" || root.name !== "FDT-Instance") return "fdt_bad_xml";
  const expiresNtp = integer(root.attributes.get("Expires"), 2 ** 32 - 1);
  const entries = childrenNamed(root, "File");
  if (expiresNtp === undefined) return "fdt_bad_xml";
  if (entries.length > maxFiles) return "fdt_too_many_files";
  const files: FdtFile[] = [];
  for (const entry of entries) {
    const file = readFile(entry, root, nowMs);
    if (file) files.push(file);
  }
  if (files.length === 0) return "fdt_bad_xml";
  return {
    expiresNtp,
    complete: flag(root.attributes.get("Complete")),
    full: flag(root.attributes.get("FullFDT")),
    files,
    skippedFiles: entries.length - files.length,
  };
}

function readFile(entry: XmlElement, root: XmlElement, nowMs: number): FdtFile | undefined {
  const own: Lookup = (name) => entry.attributes.get(name);
  const inherited: Lookup = (name) => own(name) ?? root.attributes.get(name);
  const toi = readToi(own("TOI"));
  const contentLocation = text(own("Content-Location"), longestLocation);
  if (toi === undefined || !contentLocation) return undefined;
  const contentEncoding = text(inherited("Content-Encoding"))?.toLowerCase();
  return {
    toi,
    contentLocation,
    contentType: text(inherited("Content-Type")),
    contentEncoding: contentEncoding === "identity" ? undefined : contentEncoding,
    contentLength: integer(own("Content-Length")),
    transferLength: integer(own("Transfer-Length")),
    digests: {
      md5: base64ToHex(own("Content-MD5") ?? "", 16),
      contentSha256: parseSha256Field(own("Content-Digest") ?? ""),
      reprSha256: parseSha256Field(own("Repr-Digest") ?? ""),
    },
    etag: text(own("File-ETag")),
    cacheControl: readCacheControl(firstNamed(entry, "Cache-Control"), nowMs),
    purgeSeq: integer(own("Purge-Sequence")),
    tags: readTags(own("Surrogate-Keys")),
    oti: readOti(inherited),
  };
}

/** File attributes override those of the instance one by one. */
function readOti(inherited: Lookup): FdtOti {
  const specific = text(inherited("FEC-OTI-Scheme-Specific-Info"));
  return {
    encodingId: integer(inherited("FEC-OTI-FEC-Encoding-ID"), 255),
    instanceId: integer(inherited("FEC-OTI-FEC-Instance-ID"), 65_535),
    symbolBytes: integer(inherited("FEC-OTI-Encoding-Symbol-Length")),
    maxSourceBlockSymbols: integer(inherited("FEC-OTI-Maximum-Source-Block-Length")),
    maxEncodingSymbols: integer(inherited("FEC-OTI-Max-Number-of-Encoding-Symbols")),
    schemeSpecific: specific === undefined
      ? undefined
      : Uint8Array.from(Buffer.from(specific, "base64")),
  };
}

function readCacheControl(
  element: XmlElement | undefined,
  nowMs: number,
): FdtCacheControl | undefined {
  if (!element) return undefined;
  const expires = integer(firstNamed(element, "Expires")?.text, 2 ** 32 - 1);
  if (expires !== undefined) return { kind: "expires", expiresMs: fromNtp(expires, 0, nowMs) };
  if (flag(firstNamed(element, "no-cache")?.text)) return { kind: "no_cache" };
  return flag(firstNamed(element, "max-stale")?.text) ? { kind: "max_stale" } : undefined;
}

/** TOI 0 is the FDT itself. */
function readToi(value: string | undefined): Toi | undefined {
  if (value === undefined || !/^\d{1,34}$/.test(value)) return undefined;
  const toi = BigInt(value);
  return toi > 0n && toi < 1n << 112n ? normalToi(toi) : undefined;
}

/** Too many to keep are as if they were not told: one that was left out could never be purged by. */
function readTags(value: string | undefined): string[] {
  if (value === undefined) return [];
  const tags = text(value, longestTags)?.split(/\s+/).filter((tag) => tag !== "");
  return tags === undefined || tags.length > mostTags ? [untoldTag] : tags;
}

function integer(value: string | undefined, most = Number.MAX_SAFE_INTEGER): number | undefined {
  if (value === undefined || !/^\d{1,16}$/.test(value)) return undefined;
  return Number(value) <= most ? Number(value) : undefined;
}

function flag(value: string | undefined): boolean {
  return value === "true" || value === "1";
}

/**
 * The attribute's text, copied: a part of the document would keep the whole document in memory for
 * as long as the file is listed.
 */
function text(value: string | undefined, longest = longestText): string | undefined {
  if (value === undefined || value.length > longest) return undefined;
  return Buffer.from(value).toString();
}
