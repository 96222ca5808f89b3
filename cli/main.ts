/**
 * `downlink`: purge and look at the CDN from a shell.
 *
 * @module
 */

import { buildText, readNotices } from "#build";
import { runCommandLine } from "./program.ts";
import { processScreen } from "./screen.ts";

if (import.meta.main) {
  const code = await runCommandLine(Deno.args, {
    screen: processScreen(),
    variable: (name) => Deno.env.get(name),
    readFile: (path) => Deno.readTextFileSync(path),
    nowMs: Date.now,
    version: buildText(),
    licenses: readNotices,
  });
  Deno.exit(code);
}
