/**
 * The version of this tree, and the commit that a binary was made from.
 *
 * @module
 */

import house from "../../deno.json" with { type: "json" };

/** Semantic version of all programs, from `deno.json`. */
export const version: string = house.version;

/** `0.1.0`, or in a binary whose commit was known when it was made `0.1.0 (commit 1234567)`. */
export function buildText(): string {
  const commit = Deno.build.standalone ? builtCommit() : undefined;
  return commit === undefined ? version : `${version} (commit ${commit})`;
}

/** What `deno task compile` has put beside this file in the binary. */
function builtCommit(): string | undefined {
  try {
    const commit = Deno.readTextFileSync(new URL("./commit.txt", import.meta.url)).trim();
    return commit === "" ? undefined : commit;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
