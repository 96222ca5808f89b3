/**
 * Writing FDT instance documents: the namespace of 2005 and unprefixed names, which every known
 * receiver reads.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { toNtp } from "#lct";
import { node, writeXml, type XmlNode } from "#xml";
import { formatSha256Field, hexToBase64 } from "./digests.ts";
import type { FdtCacheControl, FdtFile, FdtInstance } from "./fdt.ts";

/** Prefixes as 3GPP writes them; `dl` is our own. */
const namespaces: Readonly<Record<string, string>> = {
  mbms2007: "urn:3GPP:metadata:2007:MBMS:FLUTE:FDT",
  mbms2008: "urn:3GPP:metadata:2008:MBMS:FLUTE:FDT_ext",
  mbms2012: "urn:3GPP:metadata:2012:MBMS:FLUTE:FDT",
  dvb: "urn:dvb:metadata:ExtendedFileDeliveryTable:2022",
  dl: "urn:downlink:flute:2026",
};

/**
 * Encodes an instance. Only the namespaces that it uses are declared: most instances fit one
 * packet.
 *
 * @param files The entries, each as `fdtFileNode` made it; at least one, or the document is
 * invalid.
 */
export function encodeFdt(
  instance: Omit<FdtInstance, "files" | "skippedFiles">,
  files: readonly XmlNode[],
): string {
  const attributes = {
    Expires: instance.expiresNtp,
    Complete: instance.complete || undefined,
    "mbms2008:FullFDT": instance.full || undefined,
  };
  const root = node("FDT-Instance", attributes, files);
  const declarations = [...prefixesOf(root)].map((prefix) => [
    `xmlns:${prefix}`,
    namespaces[prefix],
  ]);
  return writeXml({
    ...root,
    attributes: {
      xmlns: "urn:IETF:metadata:2005:FLUTE:FDT",
      ...Object.fromEntries(declarations),
      ...attributes,
    },
  });
}

/** One `File` element. */
export function fdtFileNode(file: FdtFile): XmlNode {
  const { digests, oti } = file;
  const attributes = {
    TOI: String(file.toi),
    "Content-Location": file.contentLocation,
    "Content-Length": file.contentLength,
    "Transfer-Length": file.transferLength,
    "Content-Type": file.contentType,
    "Content-Encoding": file.contentEncoding,
    "Content-MD5": digests.md5 && hexToBase64(digests.md5),
    "FEC-OTI-FEC-Encoding-ID": oti.encodingId,
    "FEC-OTI-FEC-Instance-ID": oti.instanceId,
    "FEC-OTI-Maximum-Source-Block-Length": oti.maxSourceBlockSymbols,
    "FEC-OTI-Encoding-Symbol-Length": oti.symbolBytes,
    "FEC-OTI-Max-Number-of-Encoding-Symbols": oti.maxEncodingSymbols,
    "FEC-OTI-Scheme-Specific-Info": oti.schemeSpecific &&
      Buffer.from(oti.schemeSpecific).toString("base64"),
    "mbms2012:File-ETag": file.etag,
    "dvb:Content-Digest": digests.contentSha256 && formatSha256Field(digests.contentSha256),
    "dvb:Repr-Digest": digests.reprSha256 && formatSha256Field(digests.reprSha256),
    "dl:Purge-Sequence": file.purgeSeq,
    "dl:Surrogate-Keys": file.tags.length > 0 ? file.tags.join(" ") : undefined,
  };
  return node("File", attributes, [file.cacheControl && cacheControlNode(file.cacheControl)]);
}

function cacheControlNode(control: FdtCacheControl): XmlNode {
  const inner = control.kind === "expires"
    ? node("mbms2007:Expires", {}, String(toNtp(control.expiresMs).seconds))
    : control.kind === "no_cache"
    ? node("mbms2007:no-cache", {}, "true")
    : node("mbms2007:max-stale", {}, "true");
  return node("mbms2007:Cache-Control", {}, [inner]);
}

function prefixesOf({ name, attributes, content }: XmlNode, found = new Set<string>()) {
  const used = Object.keys(attributes).filter((key) => attributes[key] !== undefined);
  for (const qualified of [name, ...used]) {
    const [prefix, local] = qualified.split(":");
    if (local !== undefined) found.add(prefix);
  }
  if (typeof content !== "string") { for (const child of content) prefixesOf(child, found); }
  return found;
}
