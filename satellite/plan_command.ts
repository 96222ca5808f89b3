/**
 * `downlink-headend plan`: what a carousel plan comes to, before it is on the air.
 *
 * @module
 */

import * as v from "valibot";
import {
  BadValue,
  bitRate,
  duration,
  formatHelp,
  integer,
  optional,
  path,
  readSettings,
  type Settings,
  url,
} from "#config";
import { carouselSchema } from "#topology";
import { objectWireBytes } from "./broadcast.ts";
import { filesOfPlan } from "./carousel_plan.ts";
import { leastMeanWaitMs, planCarousel } from "./square_root_rule.ts";

/** What the command printed, and its exit code: 0 fits, 1 does not fit, 2 bad input. */
export interface PlanOutcome {
  readonly code: 0 | 1 | 2;
  readonly text: string;
}

/** The world of the command. */
export interface PlanWorld {
  readonly env: Readonly<Record<string, string>>;
  readonly readFile: (file: string) => string;
  /** Asks the origin how long an object is. */
  readonly sizeOf: (origin: URL, path: string) => Promise<number>;
}

const table = {
  carousel: path(undefined, "Carousel plan, as GET /carousel on control answers it.", "FILE"),
  origin: optional(url(undefined, "Where the sizes of files without `bytes` are asked for.")),
  rate: bitRate("61Mbit", "Rate on the wire."),
  live: bitRate("0.1Mbit", "What live and repeating objects take of it."),
  cycle: duration("3600s", "Longest time of a file without acquisitionSeconds.", { min: 1000 }),
  fecOverhead: integer("0", "Repair symbols for each 100 source symbols, 0 to 300.", {
    min: 0,
    max: 300,
  }),
};

const introduction = {
  program: "headend plan",
  summary: "Shows how often each file of a carousel plan comes round, and whether the plan fits.",
  examples: [{
    command: "downlink-headend plan --carousel plan.json --rate 61Mbit --live 24Mbit",
    does: "One line a file; exit code 1 when the plan does not fit.",
  }],
};

/** The plan as control keeps it; here a file may also say how long it is. */
const planSchema = v.object({
  files: v.array(v.strictObject({
    ...carouselSchema.wrapped.item.entries,
    bytes: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  })),
});

/** Runs the command that follows the word `plan`. */
export async function planCommand(
  args: readonly string[],
  world: PlanWorld,
): Promise<PlanOutcome> {
  const reading = readSettings(table, { args, env: world.env, readFile: world.readFile });
  if (reading.kind === "refused") return { code: 2, text: `${reading.sentence}\n` };
  if (reading.kind !== "settings") return { code: 0, text: formatHelp(introduction, table) };
  try {
    return await plan(reading.settings, world);
  } catch (error) {
    if (error instanceof BadValue) return { code: 2, text: `${error.message}\n` };
    throw error;
  }
}

async function plan(settings: Settings<typeof table>, world: PlanWorld): Promise<PlanOutcome> {
  const { rate, live, cycle, fecOverhead } = settings;
  const entries = readPlan(settings.carousel, world);
  const planned = filesOfPlan(entries, cycle);
  const files = [];
  for (const [at, { path, bytes }] of entries.entries()) {
    const size = bytes ?? await sizeOf(path, settings.origin, world);
    files.push({
      ...planned[at],
      bytes: size,
      wireBytes: objectWireBytes(size, fecOverhead / 100),
    });
  }
  if (live >= rate) {
    throw new BadValue(`Cannot plan: need --live below --rate ${rate}: received ${live}`);
  }
  const left = rate - live;
  const { periods, fits, neededBitsPerSecond, meanWaitMs } = planCarousel(files, left);
  const rows = files.map(({ key, bytes, priority, popularity }, at) => [
    key,
    (bytes / 1e6).toFixed(1),
    String(priority),
    String(popularity),
    `${(periods[at].share * 100).toFixed(1)} %`,
    seconds(periods[at].periodMs),
    seconds(periods[at].meanWaitMs),
  ]);
  const head = ["file", "MB", "prio", "popular", "rate", "cycle", "mean wait"];
  const sums = `Rate ${mbit(rate)} less live ${mbit(live)} leaves ${mbit(left)};\n` +
    `all acquisition times together need ${mbit(neededBitsPerSecond)}.`;
  const verdict = fits
    ? `It fits. Mean wait ${seconds(meanWaitMs)} over all who ask;\n` +
      `no plan of these files at this rate has less than ${seconds(leastMeanWaitMs(files, left))}.`
    : `It does not fit: ${mbit(neededBitsPerSecond - left)} too much. Give files more time, or\n` +
      "carry fewer: the headend would leave out the last priority first.";
  const text = `${tableText([head, ...rows])}\n\n${sums}\n${verdict}\n`;
  return { code: fits ? 0 : 1, text };
}

function readPlan(file: string | undefined, { readFile }: PlanWorld) {
  if (file === undefined) throw new BadValue("Cannot plan: need --carousel FILE: received none");
  let text: unknown;
  try {
    text = JSON.parse(readFile(file));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(`Cannot plan: need a JSON file: received ${file} (${reason})`);
  }
  const reading = v.safeParse(planSchema, text);
  if (reading.success) return reading.output.files;
  const [issue] = reading.issues;
  throw new BadValue(
    `Cannot plan: need ${v.getDotPath(issue) ?? "a plan"} to be as in GET /carousel: ` +
      `received ${issue.received}`,
  );
}

async function sizeOf(path: string, origin: URL | undefined, world: PlanWorld): Promise<number> {
  if (origin === undefined) {
    throw new BadValue(`Cannot plan: need --origin, or bytes for each file: received ${path}`);
  }
  try {
    return await world.sizeOf(origin, path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(`Cannot plan: need the size of ${path} from ${origin}: received ${reason}`);
  }
}

/** Asks by HEAD. */
export async function contentLength(origin: URL, path: string): Promise<number> {
  const base = origin.href.replace(/\/$/, "");
  const signal = AbortSignal.timeout(5000);
  const answer = await fetch(base + path, { method: "HEAD", signal });
  const length = Number(answer.headers.get("content-length") ?? NaN);
  if (answer.status === 200 && Number.isSafeInteger(length) && length > 0) return length;
  throw new Error(`status ${answer.status} with Content-Length ${length || "unknown"}`);
}

/** A table of at most 80 columns: the first one gives way. */
function tableText(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
  const others = widths.slice(1).reduce((sum, width) => sum + width + 2, 0);
  const first = Math.min(widths[0], 80 - others);
  return rows.map(([name, ...cells]) => {
    const shown = name.length > first ? `…${name.slice(name.length - first + 1)}` : name;
    const rest = cells.map((cell, at) => `  ${cell.padStart(widths[at + 1])}`).join("");
    return shown.padEnd(first) + rest;
  }).join("\n");
}

function seconds(ms: number): string {
  return ms < 99_950 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

function mbit(bitsPerSecond: number): string {
  return `${(bitsPerSecond / 1e6).toFixed(2)} Mbit/s`;
}
