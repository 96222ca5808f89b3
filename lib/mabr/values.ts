/**
 * Plain values in attributes and elements of a configuration document.
 *
 * @module
 */

/** Reads an `xs:boolean`; `undefined` for anything else. */
export function boolean(text: string | undefined): boolean | undefined {
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : undefined;
}

/** Whether `text` is an IPv4 address in dotted decimals or an IPv6 address without a zone. */
export function isIpAddress(text: string): boolean {
  if (text.includes(":")) return /^[\da-fA-F:.]+$/.test(text) && URL.canParse(`http://[${text}]`);
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) &&
    text.split(".").every((part) => Number(part) < 256);
}

/** Leaves out the entries that are `undefined`. */
export function optional<T extends object>(
  entries: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const present = Object.entries(entries).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
