/**
 * `downlink-headend key`: makes the key pair of notices.
 *
 * @module
 */

import { formatHelp, path, readSettings } from "#config";
import { generateKeys } from "#notice";

const table = {
  out: path("notices.pem", "Where the private key is written; nothing is overwritten.", "FILE"),
};

const introduction = {
  program: "headend key",
  summary: "Makes the key that signs notices, and prints the one that boxes are given.",
  examples: [{
    command: "downlink-headend key --out notices.pem",
    does: "The headend takes it as --sign-key, boxes take what is printed as --trust-key.",
  }],
};

/** Runs the command that follows the word `key`. */
export async function keyCommand(
  args: readonly string[],
): Promise<{ readonly code: 0 | 2; readonly text: string }> {
  const readFile = (file: string) => Deno.readTextFileSync(file);
  const reading = readSettings(table, { args, env: {}, readFile });
  if (reading.kind === "refused") return { code: 2, text: `${reading.sentence}\n` };
  if (reading.kind !== "settings") return { code: 0, text: formatHelp(introduction, table) };
  const { out } = reading.settings;
  const { privatePem, publicKey } = await generateKeys();
  try {
    await Deno.writeTextFile(out, privatePem, { createNew: true, mode: 0o600 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const text = `Cannot write a key: need a new file at --out: received ${out} (${reason})\n`;
    return { code: 2, text };
  }
  return { code: 0, text: `${publicKey}\n` };
}
