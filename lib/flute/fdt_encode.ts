/**
 * Writing FDT instance documents: the namespace of 2005 and unprefixed names, which every known receiver reads.
 *
 * @module
 */

import { toNtp } from "#lct";
import type { FdtCacheControl, FdtFile, FdtInstance } from "./fdt.ts";
import { formatSha256Field, hexToBase64 } from "./digests.ts";

/** Prefixes as 3GPP writes them; `dl` is our own. */
const namespaces: Record<string, string> = {
  mbms2007: "urn:3GPP:metadata:2007:MBMS:FLUTE:FDT",
  mbms2008: "urn:3GPP:metadata:2008:MBMS:FLUTE:FDT_ext",
  mbms2012: "urn:3GPP:metadata:2012:MBMS:FLUTE:FDT",
  dvb: "urn:dvb:metadata:ExtendedFileDeliveryTable:2022",
  dl: "urn:downlink:flute:2026",
};

/** What `encodeFdt` needs of an instance. */
export type FdtContent = Pick<FdtInstance, "expiresNtp"> & Partial<FdtInstance>;

/**
 * Encodes an instance.
 *
 * @param files The entries, each as `encodeFdtFile` made it; at least one, or the document is invalid.
 */
export function encodeFdt(instance: FdtContent, files: readonly string[]): string {
  const flags = [
    instance.complete ? ` Complete="true"` : "",
    instance.full ? ` mbms2008:FullFDT="true"` : "",
  ].join("");
  const entries = files.join("\n");
  const declared = Object.entries(namespaces)
    .filter(([prefix]) => `${flags}${entries}`.includes(`${prefix}:`))
    .map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`)
    .join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<FDT-Instance xmlns="urn:IETF:metadata:2005:FLUTE:FDT"${declared} ` +
    `Expires="${instance.expiresNtp}"${flags}>\n${entries}\n</FDT-Instance>\n`;
}

/** Encodes one `File` element. */
export function encodeFdtFile(file: FdtFile): string {
  const { digests, oti } = file;
  const attributes: [name: string, value: string | number | bigint | undefined][] = [
    ["TOI", file.toi],
    ["Content-Location", file.contentLocation],
    ["Content-Length", file.contentLength],
    ["Transfer-Length", file.transferLength],
    ["Content-Type", file.contentType],
    ["Content-Encoding", file.contentEncoding],
    ["Content-MD5", digests.md5 && hexToBase64(digests.md5)],
    ["FEC-OTI-FEC-Encoding-ID", oti.encodingId],
    ["FEC-OTI-FEC-Instance-ID", oti.instanceId],
    ["FEC-OTI-Maximum-Source-Block-Length", oti.maxSourceBlockSymbols],
    ["FEC-OTI-Encoding-Symbol-Length", oti.symbolBytes],
    ["FEC-OTI-Max-Number-of-Encoding-Symbols", oti.maxEncodingSymbols],
    ["mbms2012:File-ETag", file.etag],
    ["dvb:Content-Digest", digests.contentSha256 && formatSha256Field(digests.contentSha256)],
    ["dvb:Repr-Digest", digests.reprSha256 && formatSha256Field(digests.reprSha256)],
    ["dl:Purge-Sequence", file.purgeSeq],
    ["dl:Surrogate-Keys", file.tags.length > 0 ? file.tags.join(" ") : undefined],
  ];
  const written = attributes
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escape(String(value))}"`)
    .join("");
  const child = encodeCacheControl(file.cacheControl);
  return child ? `<File${written}>${child}</File>` : `<File${written}/>`;
}

function encodeCacheControl(control: FdtCacheControl | undefined): string {
  if (!control) return "";
  const inner = control.kind === "expires"
    ? `<mbms2007:Expires>${toNtp(control.expiresMs).seconds}</mbms2007:Expires>`
    : control.kind === "no_cache"
    ? "<mbms2007:no-cache>true</mbms2007:no-cache>"
    : "<mbms2007:max-stale>true</mbms2007:max-stale>";
  return `<mbms2007:Cache-Control>${inner}</mbms2007:Cache-Control>`;
}

const escapes: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

function escape(text: string): string {
  return text.replace(/[&<>"\t\n\r]/g, (character) => escapes[character]);
}
