/**
 * What the page's lab panel asks the demo: the state of all nodes, the satellite's loss, a purge.
 *
 * @module
 */

import { Hono } from "hono";
import { getJson, getText, sendJson } from "./http_json.ts";
import { readMetrics, sum } from "./metrics_text.ts";
import type { Address, NodeName } from "./system.ts";

/** Metrics are read at most this often, however many pages ask. */
const metricsMs = 400;

/** A node as control lists it. */
interface ListedNode {
  readonly id: string;
  readonly role: string;
  readonly adminUrl: string;
  readonly appliedSeq: number;
  readonly state: "live" | "late";
}

/** A set-top box as control lists it. */
interface ListedBox {
  readonly id: string;
  readonly appliedSeq: number;
  readonly late: boolean;
}

/** A purge as control shows it. */
export interface PurgeView {
  readonly id: string;
  readonly seq: number;
  readonly state: "in_progress" | "completed";
  readonly nodes: {
    readonly total: number;
    readonly applied: number;
    readonly waiting: readonly { readonly id: string }[];
    readonly took: readonly { readonly id: string; readonly ms: number }[];
  };
}

/** What the satellite counts. */
export interface SatelliteState {
  readonly lossShare: number;
  readonly relayed: number;
  readonly relayedBytes: number;
  readonly dropped: number;
  readonly failed: number;
}

/** What the origin counts, by path. */
export interface OriginStats {
  readonly edition: number;
  readonly paths: Readonly<
    Record<string, { full: number; notModified: number; head: number; missing: number }>
  >;
}

/** Answers to clients of one node, and the share that came from its cache. */
interface NodeTraffic {
  readonly answers?: number;
  readonly hitShare?: number;
}

/** The tags of what a new edition changes. */
export const editionTags = ["notice", "poster"];

/** The demo's switches and eyes. */
export class Lab {
  readonly #addresses: Readonly<Record<NodeName, Address>>;
  readonly #traffic = new Map<string, { atMs: number; value: Promise<NodeTraffic> }>();
  #purgeId: string | undefined;

  constructor(addresses: Readonly<Record<NodeName, Address>>) {
    this.#addresses = addresses;
  }

  satellite(): Promise<SatelliteState> {
    return getJson(`${this.#addresses.satellite.adminUrl}/satellite`);
  }

  setLoss(share: number): Promise<SatelliteState> {
    return sendJson("PUT", `${this.#addresses.satellite.adminUrl}/satellite/loss`, { share });
  }

  origin(): Promise<OriginStats> {
    return getJson(`${this.#addresses.origin.adminUrl}/stats`);
  }

  /** Gives notice and poster new bytes at the origin; the caches keep the old ones. */
  raiseEdition(): Promise<{ edition: number }> {
    return sendJson("POST", `${this.#addresses.origin.adminUrl}/version`);
  }

  /** Orders the purge of notice and poster. */
  async purge(): Promise<{ id: string; seq: number }> {
    const order = { kind: "tag", values: editionTags, soft: false };
    const url = `${this.#addresses.control.url}/purges`;
    const purge = await sendJson<{ id: string; seq: number }>("POST", url, order);
    this.#purgeId = purge.id;
    return purge;
  }

  purgeProgress(id: string): Promise<PurgeView> {
    return getJson(`${this.#addresses.control.url}/purges/${id}`);
  }

  /** The nodes, and the box that control keeps with the fleet. */
  async nodes(): Promise<readonly ListedNode[]> {
    const { url } = this.#addresses.control;
    const [{ nodes }, { boxes }] = await Promise.all([
      getJson<{ nodes: ListedNode[] }>(`${url}/nodes`),
      getJson<{ boxes: ListedBox[] }>(`${url}/fleet/boxes`),
    ]);
    return [
      ...nodes,
      ...boxes.map(({ id, appliedSeq, late }): ListedNode => {
        return { id, role: "stb", adminUrl: "", appliedSeq, state: late ? "late" : "live" };
      }),
    ];
  }

  /** All that the panel shows. */
  async state() {
    const [satellite, origin, listed, purge] = await Promise.all([
      this.satellite(),
      this.origin(),
      this.nodes(),
      this.#purgeId === undefined ? undefined : this.purgeProgress(this.#purgeId),
    ]);
    const nodes = await Promise.all(
      listed.map(async ({ id, role, appliedSeq, state, adminUrl }) => {
        const traffic = await this.#trafficOf(id, role, adminUrl);
        return { id, role, appliedSeq, alive: state === "live", ...traffic };
      }),
    );
    const byTier = nodes.toSorted((a, b) => tier(a.role) - tier(b.role) || (a.id < b.id ? -1 : 1));
    return { satellite, edition: origin.edition, nodes: byTier, purge: purge && shown(purge) };
  }

  #trafficOf(id: string, role: string, adminUrl: string): Promise<NodeTraffic> {
    const known = this.#traffic.get(id);
    const nowMs = performance.now();
    if (known && nowMs - known.atMs < metricsMs) return known.value;
    const value = (role === "stb" ? this.#boxTraffic() : cacheTraffic(role, adminUrl))
      .catch((): NodeTraffic => ({}));
    this.#traffic.set(id, { atMs: nowMs, value });
    return value;
  }

  async #boxTraffic(): Promise<NodeTraffic> {
    const status = await getJson<{ requests: Record<string, number> }>(
      `${this.#addresses["stb-1"].url}/api/status`,
    );
    const { hit, arriving, miss, error } = status.requests;
    return shareOf(hit + arriving, hit + arriving + miss + error);
  }
}

/** The order of the panel: from the origin to the home. */
function tier(role: string): number {
  return ["shield", "edge", "headend", "stb"].indexOf(role);
}

async function cacheTraffic(role: string, adminUrl: string): Promise<NodeTraffic> {
  if (role === "headend") return {};
  const samples = readMetrics(await getText(`${adminUrl}/metrics`));
  const name = `${role}_cache_requests_total`;
  return shareOf(sum(samples, name, { result: "hit" }), sum(samples, name));
}

function shareOf(hits: number, answers: number): NodeTraffic {
  return answers === 0 ? { answers } : { answers, hitShare: hits / answers };
}

/** A purge as the panel shows it. */
function shown({ id, seq, state, nodes: { total, applied, waiting, took } }: PurgeView) {
  return {
    id,
    seq,
    state,
    total,
    applied,
    waiting: waiting.map((node) => node.id),
    turnedMs: Object.fromEntries(took.map(({ id, ms }) => [id, ms])),
  };
}

/**
 * Makes the app that the page talks to. Only pages of the set-top box may use it: any other page in
 * the same browser could else lose the satellite's packets.
 */
export function labApp(lab: Lab, pageUrls: readonly string[]): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    const origin = c.req.header("origin");
    if (origin !== undefined && !pageUrls.includes(origin)) {
      return c.json({ error: "Cannot allow this: need a page of the set-top box" }, 403);
    }
    if (origin !== undefined) c.header("access-control-allow-origin", origin);
    c.header("vary", "origin");
    c.header("cache-control", "no-store");
    if (c.req.method !== "OPTIONS") return await next();
    c.header("access-control-allow-methods", "GET, POST, PUT");
    c.header("access-control-allow-headers", "content-type");
    return c.body(null, 204);
  });
  app.get("/state", async (c) => c.json(await lab.state()));
  app.put("/loss", async (c) => {
    const { share } = await c.req.json<{ share: number }>();
    return c.json(await lab.setLoss(share));
  });
  app.post("/purge", async (c) => {
    await lab.raiseEdition();
    return c.json(await lab.purge());
  });
  app.onError((error, c) => c.json({ error: error.message }, 502));
  return app;
}
