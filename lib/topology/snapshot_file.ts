/**
 * The last good topology on disk: written whole or not at all, checked when read.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { parseSnapshot, type TopologySnapshot } from "./snapshot.ts";

/** What a snapshot file held. */
export type SnapshotFound =
  | { readonly kind: "snapshot"; readonly snapshot: TopologySnapshot }
  | { readonly kind: "absent" }
  | { readonly kind: "corrupt" };

/** A file that holds one snapshot. */
export class SnapshotFile {
  readonly #path: string;

  /** @param path Its folder must exist. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Reads the file. */
  async load(): Promise<SnapshotFound> {
    let text: string;
    try {
      text = await Deno.readTextFile(this.#path);
    } catch (error) {
      return { kind: error instanceof Deno.errors.NotFound ? "absent" : "corrupt" };
    }
    const [digest, body = ""] = text.split("\n", 2);
    const snapshot = digest === digestOf(body) ? parseSnapshot(parseJson(body)) : undefined;
    return snapshot ? { kind: "snapshot", snapshot } : { kind: "corrupt" };
  }

  /** Replaces the file; a kill at any time leaves the old or the new one. */
  async save(snapshot: TopologySnapshot): Promise<void> {
    const body = JSON.stringify(snapshot);
    const next = `${this.#path}.next`;
    const file = await Deno.open(next, { write: true, create: true, truncate: true });
    try {
      const bytes = new TextEncoder().encode(`${digestOf(body)}\n${body}\n`);
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(next, this.#path);
  }
}

function digestOf(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
