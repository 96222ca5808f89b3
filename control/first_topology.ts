/**
 * The topology that `--topology` declares when nothing is declared yet.
 *
 * @module
 */

import { parse as parseYaml } from "yaml";
import { BadValue } from "#config";
import { nothingDeclared } from "#topology";
import { readDeclared } from "./declared_topology.ts";
import type { Snapshots } from "./snapshots.ts";
import { diff } from "./topology_diff.ts";

/**
 * Declares what a file says, YAML or JSON, while nothing is declared; returns whether it did.
 *
 * @throws {BadValue} One sentence, when the file cannot be read or is no topology.
 */
export function declareFirst(
  file: string,
  snapshots: Snapshots,
  options: Parameters<Snapshots["declare"]>[1],
): boolean {
  if (diff(snapshots.declared, nothingDeclared).length > 0) return false;
  const reading = readDeclared(readYaml(file));
  if (reading.kind === "refused") {
    throw new BadValue(`Cannot use --topology ${file}: ${reading.sentence}`);
  }
  const edit = snapshots.declare(reading.declared, options);
  return edit.kind === "declared" && edit.changed;
}

function readYaml(file: string): unknown {
  try {
    return parseYaml(Deno.readTextFileSync(file), { maxAliasCount: 100, logLevel: "error" });
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split("\n")[0];
    throw new BadValue(`Cannot use --topology: need a YAML or JSON file: received ${reason}`);
  }
}
