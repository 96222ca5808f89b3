/**
 * Writing structured fields (RFC 9651 §4.1).
 *
 * @module
 */

import type { BareItem, Member, Parameters } from "./structured.ts";

/** Whether `text` is a token of structured fields, which differs from an HTTP token (§3.3.4). */
export function isStructuredToken(text: string): boolean {
  return /^[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*$/.test(text);
}

/**
 * Writes a list. An empty list is `""`, which means: send no field.
 *
 * @throws {RangeError} When a value has no representation.
 */
export function formatList(members: readonly Member[]): string {
  return members.map(formatMember).join(", ");
}

/** Writes a dictionary, as {@link formatList}. */
export function formatDictionary(members: ReadonlyMap<string, Member>): string {
  return [...members].map(([key, member]) => {
    const flag = member.kind === "item" && isTrue(member.bare);
    return flag
      ? formatKey(key) + formatParameters(member.parameters)
      : `${formatKey(key)}=${formatMember(member)}`;
  }).join(", ");
}

/** Writes one item or inner list with its parameters. */
export function formatMember(member: Member): string {
  const value = member.kind === "item"
    ? formatBareItem(member.bare)
    : `(${member.items.map(formatMember).join(" ")})`;
  return value + formatParameters(member.parameters);
}

function formatParameters(parameters: Parameters): string {
  let text = "";
  for (const [key, bare] of parameters) {
    text += `;${formatKey(key)}`;
    if (!isTrue(bare)) text += `=${formatBareItem(bare)}`;
  }
  return text;
}

function isTrue(bare: BareItem): boolean {
  return bare.type === "boolean" && bare.value;
}

function formatKey(key: string): string {
  if (!/^[a-z*][a-z0-9_\-.*]*$/.test(key)) throw refuse("key", "lower-case key", key);
  return key;
}

/** Writes a bare item (RFC 9651 §4.1.3). */
export function formatBareItem(bare: BareItem): string {
  switch (bare.type) {
    case "integer":
      return formatInteger(bare.value);
    case "decimal":
      return formatDecimal(bare.value);
    case "string":
      return formatString(bare.value);
    case "token":
      if (!isStructuredToken(bare.value)) throw refuse("token", "token", bare.value);
      return bare.value;
    case "byte_sequence":
      return `:${btoa(String.fromCharCode(...bare.value))}:`;
    case "boolean":
      return bare.value ? "?1" : "?0";
    case "date":
      return `@${formatInteger(bare.value)}`;
    case "display_string":
      return formatDisplayString(bare.value);
  }
}

const integerLimit = 999_999_999_999_999;

function formatInteger(value: number): string {
  if (!Number.isInteger(value) || Math.abs(value) > integerLimit) {
    throw refuse("integer", "whole number of at most 15 digits", value);
  }
  return String(value === 0 ? 0 : value);
}

/** Rounds half to even at the third decimal (RFC 9651 §4.1.5). */
function formatDecimal(value: number): string {
  if (!(Math.abs(value) < 1e12)) throw refuse("decimal", "number below 1e12", value);
  const floor = Math.floor(value * 1000);
  const rest = value * 1000 - floor;
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0);
  const thousandths = floor + (up ? 1 : 0);
  const digits = String(Math.abs(thousandths)).padStart(4, "0");
  const fraction = digits.slice(-3).replace(/0{1,2}$/, "");
  return `${thousandths < 0 ? "-" : ""}${digits.slice(0, -3)}.${fraction}`;
}

function formatString(value: string): string {
  if (!/^[ -~]*$/.test(value)) throw refuse("string", "printable ASCII", value);
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

function formatDisplayString(value: string): string {
  let text = "";
  for (const byte of new TextEncoder().encode(value)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25 && byte !== 0x22;
    text += plain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`;
  }
  return `%"${text}"`;
}

function refuse(what: string, need: string, received: unknown): RangeError {
  return new RangeError(`Cannot format structured ${what}: need a ${need}: received ${received}`);
}
