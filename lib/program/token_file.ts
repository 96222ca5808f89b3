/**
 * A file that holds a bearer token and nothing else.
 *
 * @module
 */

import { BadValue } from "#config";

/**
 * Reads a token.
 *
 * @param flag The flag that named the file, for what is said when it cannot be used.
 * @throws {BadValue} One sentence.
 */
export function readTokenFile(file: string, flag: string): string {
  let token: string;
  try {
    token = Deno.readTextFileSync(file).trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(`Cannot use ${flag}: need a readable file: received ${reason}`);
  }
  if (token.length >= 16 && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new BadValue(
    `Cannot use ${flag}: need 16 or more visible characters in ${file}: received ${token.length}`,
  );
}
