/**
 * Clients that keep asking every node for what is being purged, and judge each answer by when its
 * request was sent: after a node said that it has applied the purge, no old byte may come.
 *
 * @module
 */

import type { Lab } from "../lab.ts";
import { pause } from "./playlist_client.ts";

/** The objects that a new edition changes. */
const paths = ["/files/notice.txt", "/files/poster.svg"];
const clientsPerNode = 3;
/** Rest of a client between two requests, so that the clients do not starve the nodes. */
const restMs = 8;
const pollMs = 10;
/** How long a purge may take to reach all nodes. */
const purgeLimitMs = 5_000;

/** What it needs of the lab. */
export type PurgeLab = Pick<Lab, "raiseEdition" | "purge" | "purgeProgress" | "nodes">;

/** One answer that a client had. */
interface Answer {
  readonly node: string;
  readonly sentMs: number;
  /** 0 when the answer held none. */
  readonly edition: number;
}

/** What one purge showed. */
export interface PurgeRound {
  readonly edition: number;
  /** Nodes that control knows, by name. */
  readonly nodes: readonly string[];
  /** Milliseconds from the order to each node's report, by control's clock. */
  readonly tookMs: Readonly<Record<string, number>>;
  /** Nodes that had not reported in time. */
  readonly missing: readonly string[];
  /** Old answers between the origin's change and the purge: the purge had something to do. */
  readonly oldBefore: number;
  /** Answers to requests sent after the node's report, and how many of them were old, by node. */
  readonly after: Readonly<Record<string, { answers: number; old: number }>>;
}

/** Asks and judges. */
export class PurgeWatch {
  readonly #lab: PurgeLab;
  readonly #nodes: Readonly<Record<string, string>>;
  readonly #answers: Answer[] = [];
  readonly faults: string[] = [];

  /** @param nodes URL of each node that serves clients, by name. */
  constructor(lab: PurgeLab, nodes: Readonly<Record<string, string>>) {
    this.#lab = lab;
    this.#nodes = nodes;
  }

  /** Fetches without end from all nodes until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const clients = Object.entries(this.#nodes).flatMap(([node, url]) =>
      Array.from({ length: clientsPerNode }, (_, index) => this.#client(node, url, index, signal))
    );
    await Promise.all(clients);
  }

  /** Changes the origin, purges, and waits for all nodes and a while longer. */
  async round(): Promise<PurgeRound> {
    const { edition } = await this.#lab.raiseEdition();
    const changedMs = performance.now();
    await pause(400);
    const purgedMs = performance.now();
    const { id } = await this.#lab.purge();
    const reportedMs = new Map<string, number>();
    let progress = await this.#lab.purgeProgress(id);
    for (;;) {
      const nowMs = performance.now();
      for (const { id } of progress.nodes.took) {
        if (!reportedMs.has(id)) reportedMs.set(id, nowMs);
      }
      if (progress.state === "completed" || nowMs - purgedMs > purgeLimitMs) break;
      await pause(pollMs);
      progress = await this.#lab.purgeProgress(id);
    }
    await pause(1_200);
    const within = this.#answers.filter(({ sentMs }) => sentMs >= changedMs);
    return {
      edition,
      nodes: (await this.#lab.nodes()).map((node) => node.id),
      tookMs: Object.fromEntries(progress.nodes.took.map(({ id, ms }) => [id, ms])),
      missing: progress.nodes.waiting.map((node) => node.id),
      oldBefore: within.filter((each) => each.sentMs < purgedMs && each.edition < edition).length,
      after: Object.fromEntries(
        Object.keys(this.#nodes).map((node) => {
          const since = reportedMs.get(node) ?? Infinity;
          const answers = within.filter((each) => each.node === node && each.sentMs > since);
          const old = answers.filter((each) => each.edition < edition).length;
          return [node, { answers: answers.length, old }];
        }),
      ),
    };
  }

  async #client(node: string, url: string, index: number, signal: AbortSignal): Promise<void> {
    for (let turn = index; !signal.aborted; turn++) {
      const path = paths[turn % paths.length];
      const sentMs = performance.now();
      try {
        const answer = await fetch(url + path);
        const text = await answer.text();
        if (!answer.ok) throw new Error(`answered ${answer.status}`);
        const edition = Number(/edition (\d+)/.exec(text)?.[1] ?? 0);
        this.#answers.push({ node, sentMs, edition });
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (!signal.aborted) this.faults.push(`${node} ${path}: ${reason}`);
      }
      await pause(restMs, signal);
    }
  }
}
