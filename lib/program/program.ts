/**
 * What all programs do alike: read settings, open the admin port, run, drain on SIGTERM.
 *
 * @module
 */

import type { Hono } from "hono";
import { buildText, readNotices, version } from "#build";
import {
  BadValue,
  choice,
  duration,
  formatHelp,
  formatHostPort,
  type HostPort,
  hostPort,
  type Introduction,
  isLoopback,
  optional,
  type ParameterTable,
  path,
  readSettings,
  type Settings,
  variableName,
} from "#config";
import { BadCertificate, type Handler, type Http1Server, serve } from "#http1";
import { createLogger, type Logger } from "#log";
import { createMetrics, type Metrics } from "#metrics";
import { adminApp } from "./admin.ts";
import { serviceManager, serviceVariables } from "./service_manager.ts";
import { readTokenFile } from "./token_file.ts";

/** Returns the common rows of a parameter table; they come after the program's own. */
export function commonParameters(admin: string) {
  return {
    admin: hostPort(admin, "Where /healthz, /readyz, /metrics and the admin API are served."),
    tokenFile: optional(
      path(
        undefined,
        "File with the bearer token of admin and purge APIs; needed off loopback.",
        "FILE",
      ),
    ),
    logFormat: choice(
      ["auto", "json", "text"],
      "auto",
      "Log lines: text on a terminal, else JSON.",
    ),
    logLevel: choice(["debug", "info", "warn", "error"], "info", "The quietest log lines written."),
    drainTime: duration("10s", "How long answers in flight may take to finish after SIGTERM."),
  };
}

/** What a program gets to work with. */
export interface ProgramContext<Table extends ParameterTable> {
  readonly settings: Settings<Table>;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** The admin app; add routes before `start` returns. */
  readonly admin: Hono;
  /** The admin and purge token, when one was given. */
  readonly token: string | undefined;
  /** Says whether the program can do its job; `/readyz` tells. False at first. */
  setReady(ready: boolean): void;
  /** Runs at SIGTERM, last registered first; each is bounded by what is left of the drain time. */
  onDrain(step: (timeoutMs: number) => void | Promise<void>): void;
}

/** A program: what it says of itself, its parameters, and how it starts. */
export interface Program<Table extends ParameterTable> {
  readonly introduction: Introduction;
  readonly parameters: Table;
  readonly start: (context: ProgramContext<Table>) => void | Promise<void>;
}

type Runnable = ReturnType<typeof commonParameters>;

/** Runs a program until SIGTERM or SIGINT. Exit codes: 0 drained, 1 failed, 2 bad input. */
export async function runProgram<const Table extends ParameterTable & Runnable>(
  program: Program<Table>,
): Promise<void> {
  const { settings, token } = settingsOrExit(program);
  const common = settings as unknown as Settings<Runnable>;
  const name = program.introduction.program;
  const log = programLogger(name, common);
  const metrics = createMetrics(name, version, Date.now());
  const steps: ((timeoutMs: number) => void | Promise<void>)[] = [];
  let ready = false;
  let draining = false;
  const admin = adminApp({ metrics, ready: () => ready && !draining, token });
  const context: ProgramContext<Table> = {
    settings,
    log,
    metrics,
    admin,
    token,
    setReady: (is) => ready = is,
    onDrain: (step) => steps.push(step),
  };
  const stray = metrics.counter(
    `${name}_unhandled_rejections_total`,
    "Promises that were rejected and nobody awaited; each is a defect, none stops the program.",
  );
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    stray.inc();
    const reason = String(event.reason?.stack ?? event.reason);
    log.error("a promise was rejected that nobody awaited", { reason });
  });
  const stop = signalled(["SIGTERM", "SIGINT"]);
  let reporting: ReturnType<typeof startReporting>;
  try {
    await program.start(context);
    const server = listen(common.admin, { handler: (request) => admin.fetch(request) });
    steps.unshift((timeoutMs) => server.drain(timeoutMs));
    log.info("started", { version, admin: formatHostPort(server.address) });
    reporting = startReporting(log);
  } catch (error) {
    if (error instanceof BadValue) say(`${error.message}\n`, 2);
    log.error("could not start", { reason: error });
    Deno.exit(1);
  }
  await stop;
  draining = true;
  reporting.stopping();
  log.info("draining", { seconds: common.drainTime / 1000 });
  await drain(steps, common.drainTime, log);
  log.info("stopped");
  Deno.exit(0);
}

/**
 * Tells the service manager, where there is one, that the program has started, and from now on that
 * its event loop turns.
 */
function startReporting(log: Logger): { stopping(): void } {
  try {
    const variables = serviceVariables.map((name) => [name, Deno.env.get(name)] as const);
    const manager = serviceManager(Object.fromEntries(variables));
    if (manager === undefined) return { stopping() {} };
    const tell = (state: string) =>
      void manager.tell(state).catch((error) => {
        log.warn("the service manager did not hear", { state, reason: error });
      });
    tell("READY=1");
    if (manager.watchdogMs !== undefined) setInterval(tell, manager.watchdogMs, "WATCHDOG=1");
    return { stopping: () => tell("STOPPING=1") };
  } catch (error) {
    log.warn("the service manager hears nothing", { reason: error });
    return { stopping() {} };
  }
}

/**
 * Opens an HTTP/1.1 listener.
 *
 * @throws {Error} One sentence when the address cannot be had.
 * @throws {BadValue} When the certificate cannot serve.
 */
export function listen(
  { hostname, port }: HostPort,
  options: { handler: Handler } & Partial<Parameters<typeof serve>[0]>,
): Http1Server {
  try {
    return serve({ ...options, hostname, port });
  } catch (error) {
    if (error instanceof BadCertificate) {
      throw new BadValue(`Cannot use --tls-cert and --tls-key: ${error.message}`);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Cannot listen on ${
        formatHostPort({ hostname, port })
      }: need a free address of this machine: received ${reason}`,
    );
  }
}

function settingsOrExit<const Table extends ParameterTable>(
  { introduction, parameters }: Program<Table>,
) {
  const reading = readSettings(parameters, {
    args: Deno.args,
    env: environment(parameters),
    readFile: (file) => Deno.readTextFileSync(file),
  });
  if (reading.kind === "help") say(formatHelp(introduction, parameters), 0);
  if (reading.kind === "version") say(`downlink-${introduction.program} ${buildText()}\n`, 0);
  if (reading.kind === "licenses") say(readNotices(), 0);
  if (reading.kind === "refused") say(`${reading.sentence}\n`, 2);
  if (reading.kind !== "settings") throw new TypeError("unreachable");
  return {
    settings: reading.settings,
    token: readToken(reading.settings as unknown as Settings<Runnable>),
  };
}

/** The variables that the table names, and no others: that is all a program may read. */
function environment(parameters: ParameterTable): Record<string, string> {
  const names = [...Object.keys(parameters), "config"].map(variableName);
  const values = names.map((name) => [name, Deno.env.get(name)] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
}

function readToken({ admin, tokenFile }: Settings<Runnable>): string | undefined {
  if (tokenFile === undefined) {
    if (!isLoopback(admin.hostname)) {
      say(
        `Cannot use --admin: need --token-file unless it is a loopback address: received ${
          formatHostPort(admin)
        }\n`,
        2,
      );
    }
    return undefined;
  }
  try {
    return readTokenFile(tokenFile, "--token-file");
  } catch (error) {
    if (error instanceof BadValue) return say(`${error.message}\n`, 2);
    throw error;
  }
}

/** Prints to the stream that fits the exit code, and ends the process. */
function say(text: string, exitCode: number): never {
  const stream = exitCode === 0 ? Deno.stdout : Deno.stderr;
  stream.writeSync(new TextEncoder().encode(text));
  Deno.exit(exitCode);
}

function programLogger(program: string, { logFormat, logLevel }: Settings<Runnable>): Logger {
  const encoder = new TextEncoder();
  const format = logFormat === "auto" ? (Deno.stderr.isTerminal() ? "text" : "json") : logFormat;
  const write = (line: string) => void Deno.stderr.writeSync(encoder.encode(line));
  return createLogger({ program, format, level: logLevel, write, nowMs: Date.now });
}

function signalled(signals: readonly Deno.Signal[]): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    for (const signal of signals) {
      Deno.addSignalListener(signal, () => ++count === 1 ? resolve() : Deno.exit(130));
    }
  });
}

/** Runs the steps last to first, none past the deadline. */
async function drain(
  steps: readonly ((timeoutMs: number) => void | Promise<void>)[],
  drainTimeMs: number,
  log: Logger,
): Promise<void> {
  const deadlineMs = performance.now() + drainTimeMs;
  for (const step of [...steps].reverse()) {
    const leftMs = Math.max(0, deadlineMs - performance.now());
    const late = Symbol();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<symbol>((resolve) =>
      timer = setTimeout(() => resolve(late), leftMs + 250)
    );
    try {
      if (await Promise.race([step(leftMs), timeout]) === late) {
        log.warn("a part did not drain in time");
      }
    } catch (error) {
      log.warn("a part failed while draining", { reason: error });
    }
    clearTimeout(timer);
  }
}
