/**
 * What a field name and a field value may be made of (RFC 9110 §5.1, §5.5, §5.6.2).
 *
 * @module
 */

const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const lowerCaseTokenPattern = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const valuePattern = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?$/;

/** Whether `text` is a `token` (RFC 9110 §5.6.2): a method, a field name, a directive. */
export function isToken(text: string): boolean {
  return tokenPattern.test(text);
}

/** Whether `name` is a field name as {@link Fields} keep it: a token in lower case. */
export function isFieldName(name: string): boolean {
  return lowerCaseTokenPattern.test(name);
}

/**
 * Whether `value` is a field value (RFC 9110 §5.5): no control but HTAB, no surrounding whitespace,
 * one character a byte (`obs-text` as U+0080 to U+00FF).
 */
export function isFieldValue(value: string): boolean {
  return valuePattern.test(value);
}

/**
 * Splits a list value at its commas (RFC 9110 §5.6.1), outside quoted strings. Empty members are
 * dropped, as recipients must.
 */
export function listMembers(value: string): string[] {
  const members: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i <= value.length; i++) {
    const character = value[i];
    if (quoted && character === "\\") i++;
    else if (character === '"') quoted = !quoted;
    else if (i === value.length || (character === "," && !quoted)) {
      const member = trimWhitespace(value.slice(start, i));
      if (member !== "") members.push(member);
      start = i + 1;
    }
  }
  return members;
}

/** Removes surrounding spaces and tabs, the only whitespace HTTP knows (RFC 9110 §5.6.3). */
export function trimWhitespace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
