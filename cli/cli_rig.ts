/**
 * The command line in one process, with a control that answers as the test says.
 *
 * @module
 */

import { runCommandLine } from "./program.ts";

/** What a command line did. */
export interface Ran {
  readonly code: number;
  /** What was printed, lines that were replaced between `<` and `>`. */
  readonly out: string;
  readonly err: string;
}

/** A control that a test scripts. */
export interface FakeControl extends AsyncDisposable {
  readonly url: string;
  readonly asked: { method: string; path: string; body: string; headers: Headers }[];
}

/** What a test may set. */
export interface RunOptions {
  readonly isTerminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** The wall clock of command lines in tests, in milliseconds since the Unix epoch. */
export const rigNowMs = 1_800_000_000_000;

/** Runs a command line. */
export async function ran(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  let out = "";
  let err = "";
  const { isTerminal = false, env = {}, files = {} } = options;
  const startedMs = performance.now();
  const code = await runCommandLine(args, {
    screen: {
      isTerminal,
      width: 80,
      print: (text) => void (out += text),
      show: (line) => void (out += isTerminal ? `<${line}>` : ""),
      complain: (sentence) => void (err += `${sentence}\n`),
    },
    variable: (name) => env[name],
    readFile: (path) => {
      if (files[path] === undefined) throw new Error("no such file");
      return files[path];
    },
    nowMs: () => rigNowMs + performance.now() - startedMs,
    version: "1.2.3",
    licenses: () => "Apache License\n",
  });
  return { code, out, err };
}

/** Starts a control on loopback. */
export function fakeControl(
  answer: (path: string, method: string) => Response | Promise<Response>,
): FakeControl {
  const asked: FakeControl["asked"] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const { method, headers } = request;
    asked.push({ method, path: pathname, body: await request.text(), headers });
    return await answer(pathname, method);
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    asked,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A purge as control shows it. */
export function purgeView(applied: number, total: number) {
  const waiting = Array.from({ length: total - applied }, (_, i) => ({
    id: `edge-${applied + i + 1}`,
    role: "edge",
    appliedSeq: 3,
    lastSeenMs: rigNowMs - 60_000,
    late: i === 0,
    behindBy: 4,
    why: i === 0 ? "away" : "behind",
  }));
  return {
    id: "p1",
    seq: 7,
    kind: "tag",
    values: ["news"],
    soft: false,
    issuedMs: rigNowMs - 1000,
    issuer: "ops",
    state: applied === total ? "completed" : "in_progress",
    nodes: { total, applied, waiting, took: [], tookMs: { p50: 3, p99: 9, max: 9.5 } },
  };
}

/** A stream of server-sent events that ends. */
export function events(...views: readonly object[]): Response {
  const text = views.map((view) => `event: progress\ndata: ${JSON.stringify(view)}\n\n`).join("");
  return new Response(text, { headers: { "content-type": "text/event-stream" } });
}
