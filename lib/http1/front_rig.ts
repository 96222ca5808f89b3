/**
 * Runs a front for one test and sees that it ends with no connection left.
 *
 * @module
 */

import type { Http1Event } from "./event.ts";
import { RawClient } from "./raw_client.ts";
import { type Http1Server, serve, type ServeOptions } from "./server.ts";

/** A front under test. */
export interface FrontRig {
  readonly server: Http1Server;
  readonly events: readonly Http1Event[];
  /** Opens a connection; it is closed when the test ends. */
  connect(): Promise<RawClient>;
  /** Waits for an event of this kind. */
  until<Kind extends Http1Event["kind"]>(
    kind: Kind,
  ): Promise<Extract<Http1Event, { kind: Kind }>>;
}

/** Serves on a free port while `test` runs. */
export async function withFront(
  options: Partial<ServeOptions>,
  test: (rig: FrontRig) => Promise<void>,
): Promise<void> {
  const events: Http1Event[] = [];
  const clients: RawClient[] = [];
  const server = serve({
    hostname: "127.0.0.1",
    port: 0,
    handler: () => new Response("from the handler"),
    onEvent: (event) => events.push(event),
    ...options,
  });
  const connect = async () => {
    const client = await RawClient.connect(server.address);
    clients.push(client);
    return client;
  };
  const until: FrontRig["until"] = async (kind) => {
    const deadlineMs = performance.now() + 30_000;
    while (performance.now() < deadlineMs) {
      const found = events.find((event) => event.kind === kind);
      if (found) return found as Awaited<ReturnType<typeof until<typeof kind>>>;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`Cannot go on: need a ${kind} event: received ${JSON.stringify(events)}`);
  };
  try {
    await test({ server, events, connect, until });
  } finally {
    for (const client of clients) client.close();
    await server.drain(1_000);
  }
}

/** A GET head with more lines. */
export function get(target: string, ...lines: string[]): string {
  return requestHead("GET", target, ...lines);
}

/** A POST head with more lines. */
export function post(target: string, ...lines: string[]): string {
  return requestHead("POST", target, ...lines);
}

/** A head with `Host` and more lines. */
export function requestHead(method: string, target: string, ...lines: string[]): string {
  return [`${method} ${target} HTTP/1.1`, "Host: front.test", ...lines, "", ""].join("\r\n");
}
