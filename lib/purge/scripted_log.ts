/**
 * A purge log for tests that answers each connection as the test says, over a real socket.
 *
 * @module
 */

import type { LogEntry, PurgeRecord } from "./record.ts";

/** One connection of a follower, in the hands of the test. */
export interface ScriptedConnection {
  /** What the follower asked for. */
  readonly after: string | null;
  readonly log: string | null;
  readonly last: string | null;
  readonly authorization: string | null;
  /** Sends lines; objects as JSON, texts as they are. */
  send(...lines: readonly (object | string)[]): void;
  /** Ends the stream. */
  end(): void;
}

/** What a connection is answered with: a refusal, or a stream that the script goes on with. */
export type Script = (connection: ScriptedConnection) => Response | void;

/** A log that follows a script; connections after the last script get a 503. */
export interface ScriptedLog {
  readonly url: string;
  readonly connections: readonly ScriptedConnection[];
  /** Adds the answer to the next connection. */
  next(...scripts: readonly Script[]): void;
  /** The connection with this number, from 0; waits for it. */
  connection(number: number): Promise<ScriptedConnection>;
  close(): Promise<void>;
}

/** Returns a hard purge of a path. */
export function urlPurge(seq: number, value = `/${seq}`): PurgeRecord {
  return { seq, id: `p${seq}`, kind: "url", value, soft: false, issuedMs: 1, issuer: "test" };
}

/** Returns the first line of a stream. */
export function head(lastSeq: number, { logId = "log-1", firstSeq = 1 } = {}) {
  return { logId, firstSeq, lastSeq };
}

/** Returns the answer of a log in which the follower has no place. */
export function noSuchPlace(line: ReturnType<typeof head>): Response {
  return new Response(`${JSON.stringify({ error: "no such place", ...line })}\n`, { status: 410 });
}

/** Returns a script that sends the head and what follows it, and stays open. */
export function stream(line: ReturnType<typeof head>, ...entries: readonly LogEntry[]): Script {
  return (connection) => connection.send(line, ...entries);
}

/** Starts a scripted log on loopback. */
export function scriptedLog(...first: readonly Script[]): ScriptedLog {
  const scripts = [...first];
  const connections: ScriptedConnection[] = [];
  const encoder = new TextEncoder();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (started) => void (controller = started),
      cancel: () => void (controller = undefined),
    });
    const { searchParams } = new URL(request.url);
    const connection: ScriptedConnection = {
      after: searchParams.get("after"),
      log: searchParams.get("log"),
      last: searchParams.get("last"),
      authorization: request.headers.get("authorization"),
      send: (...lines) => {
        const text = lines.map((line) => typeof line === "string" ? line : JSON.stringify(line));
        controller?.enqueue(encoder.encode(text.map((line) => `${line}\n`).join("")));
      },
      end: () => controller?.close(),
    };
    const script = scripts.shift();
    connections.push(connection);
    if (script === undefined) return new Response("no script", { status: 503 });
    return script(connection) ?? new Response(body);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    connections,
    next: (...more) => void scripts.push(...more),
    connection: async (number) => {
      while (connections[number] === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      return connections[number];
    },
    close: async () => {
      for (const connection of connections) {
        try {
          connection.end();
        } catch {
          // Ended before.
        }
      }
      await server.shutdown();
    },
  };
}
