/**
 * `deno task demo --check`: the whole road, judged without a screen.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Lab } from "../lab.ts";
import type { System } from "../system.ts";
import { boxStatus, difference, type RoadBytes, total } from "./box_status.ts";
import { digestOf } from "./digest.ts";
import { type Finding, megabytes, percent } from "./finding.ts";
import { originFindings } from "./origin_count.ts";
import { type Fetched, pause, PlaylistClient, startFromEnd } from "./playlist_client.ts";
import { type PurgeRound, PurgeWatch } from "./purge_watch.ts";
import { compareStream, StreamClient } from "./stream_client.ts";

/** A box that hears no satellite is judged all the same. */
const tuneLimitMs = 12_000;
const clearMs = 13_000;
const lossyMs = 11_000;
const lossShare = 0.1;
const atLoss = `at ${lossShare * 100} % loss`;
const purgeRounds = 3;
/** At a new loss, objects that are half sent still had the old one. */
const settleMs = 2_500;
/** Segments of each form that must have been compared, so that nothing passes by being empty. */
const fewestSegments = 4;
const satelliteShare = 0.9;

const playlists = ["/one/index.m3u8", "/one/cmaf/video.m3u8", "/one/cmaf/audio.m3u8"];

/** What the check works with. */
export interface CheckOptions {
  readonly system: System;
  readonly lab: Lab;
  /** `performance.now()` when the system was started. */
  readonly startedMs: number;
  readonly progress: (line: string) => void;
}

/** One stretch of playing: by playlists and by the continuous stream. */
interface Stretch {
  readonly clients: readonly PlaylistClient[];
  readonly stream: StreamClient;
  /** Media bytes by road, by the box's account. */
  readonly media: RoadBytes;
  /** Bytes that repair fetched for what was missing. */
  readonly repairFetched: number;
}

/** Runs everything and returns what was found; it never throws for a finding. */
export async function runCheck(options: CheckOptions): Promise<Finding[]> {
  const { lab, progress } = options;
  progress("waiting for the channel's first segments by satellite");
  await tuned(options);
  progress("playing at no loss");
  const clear = await play(options, clearMs);
  progress(`playing ${atLoss}`);
  const before = await lab.setLoss(lossShare);
  await pause(settleMs);
  const lossy = await play(options, lossyMs);
  const after = await lab.setLoss(0);
  progress("purging under load");
  const purges = await purgeUnderLoad(options);
  // The counts come first: the comparison below asks the origin itself.
  const counts = await lab.origin();
  const seconds = (performance.now() - options.startedMs) / 1000;
  progress("comparing with the origin");
  return [
    ...await wholeFindings(options, "at no loss", clear),
    satelliteFinding("media that the box took in", clear.media),
    satelliteFinding("media that players got", served(clear.clients)),
    ...await wholeFindings(options, atLoss, lossy),
    lossFinding(after.dropped - before.dropped, after.relayed - before.relayed, lossy),
    ...purges,
    ...originFindings(counts, seconds),
  ];
}

/**
 * Waits until the box has as much of the channel as a player starts with. A box that was just
 * switched on plays at once, by the internet; what is judged is the road that it plays by then on.
 */
async function tuned({ system }: CheckOptions): Promise<void> {
  const box = system.addresses["stb-1"].url;
  const deadlineMs = performance.now() + tuneLimitMs;
  const segments = new Set<string>();
  while (performance.now() < deadlineMs && segments.size < startFromEnd) {
    for (const { path, satellite, bytes } of (await boxStatus(box)).recent) {
      if (/\/seg-\d+\.ts$/.test(path) && satellite === bytes) segments.add(path);
    }
    await pause(100);
  }
}

async function play({ system }: CheckOptions, ms: number): Promise<Stretch> {
  const box = system.addresses["stb-1"].url;
  const before = await boxStatus(box);
  const stop = new AbortController();
  const clients = playlists.map((path) => new PlaylistClient(box, path));
  const stream = new StreamClient(box + (before.services[0]?.live ?? "/live/one.ts"));
  const playing = [...clients, stream].map((client) => client.run(stop.signal));
  await pause(ms);
  stop.abort();
  await Promise.all(playing);
  const after = await boxStatus(box);
  return {
    clients,
    stream,
    media: difference(after.media, before.media),
    repairFetched: (after.repairs?.bytes ?? 0) - (before.repairs?.bytes ?? 0),
  };
}

async function originBytes({ system }: CheckOptions, path: string): Promise<Uint8Array> {
  const answer = await fetch(system.addresses.origin.url + path);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (!answer.ok) throw new Error(`Cannot compare: the origin answered ${answer.status}: ${path}`);
  return bytes;
}

/** Judges that what the clients of a stretch fetched is what the origin has. */
async function wholeFindings(
  options: CheckOptions,
  when: string,
  { clients, stream }: Stretch,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const client of clients) findings.push(await wholeFinding(options, when, client));
  findings.push(await streamFinding(options, when, stream));
  return findings;
}

async function wholeFinding(
  options: CheckOptions,
  when: string,
  { path, fetched, faults }: PlaylistClient,
): Promise<Finding> {
  const wrong: string[] = [...faults];
  for (const each of fetched) {
    const fault = await differs(options, each);
    if (fault !== undefined) wrong.push(fault);
  }
  const bytes = fetched.reduce((sum, each) => sum + each.bytes, 0);
  const counts = `${fetched.length} objects, ${megabytes(bytes)}`;
  return {
    what: `${path} ${when}`,
    holds: wrong.length === 0 && fetched.length >= fewestSegments,
    wanted: `${fewestSegments} or more objects, all identical to the origin's`,
    seen: wrong.length === 0 ? `${counts}, all identical` : `${counts}; ${examples(wrong)}`,
  };
}

async function differs(options: CheckOptions, fetched: Fetched): Promise<string | undefined> {
  const { path, status, digest, bytes } = fetched;
  if (status !== 200) return `${path} answered ${status}`;
  const wanted = await originBytes(options, path);
  if (digestOf(wanted) === digest) return undefined;
  return `${path} differs (${bytes} bytes, the origin has ${wanted.length})`;
}

async function streamFinding(
  options: CheckOptions,
  when: string,
  stream: StreamClient,
): Promise<Finding> {
  const { bytes, fault } = stream;
  const segments = await segmentsAround(options, bytes);
  const compared = compareStream(bytes, segments);
  const faults = [fault, compared.fault].filter((each) => each !== undefined);
  const counts = `${compared.wholeSegments} segments, ${megabytes(bytes.length)}`;
  return {
    what: `/live/one.ts ${when}`,
    holds: faults.length === 0 && compared.wholeSegments >= fewestSegments,
    wanted: `${fewestSegments} or more whole segments, one after the other as the origin has them`,
    seen: faults.length === 0 ? `${counts}, all identical` : `${counts}; ${examples(faults)}`,
  };
}

/** Consecutive segments of the origin, enough of them to hold the stream. */
async function segmentsAround(options: CheckOptions, stream: Uint8Array): Promise<Uint8Array[]> {
  const playlist = Buffer.from(await originBytes(options, "/one/index.m3u8")).toString();
  const newest = Number(/seg-(\d+)\.ts\s*$/.exec(playlist)?.[1]);
  const back = Math.ceil((performance.now() - options.startedMs) / 1920) + 10;
  const first = firstSegment(stream);
  const numbers = Array.from({ length: back }, (_, index) => newest - back + 1 + index);
  const bytes = await Promise.all(
    numbers.map((number) => originBytes(options, `/one/seg-${number}.ts`)),
  );
  const start = bytes.findIndex((each) => firstSegment(each) === first);
  return start < 0 ? [] : bytes.slice(start);
}

/** Names a segment by its first packets, which hold its first timestamps. */
function firstSegment(bytes: Uint8Array): string {
  return digestOf(bytes.subarray(0, 188 * 8));
}

/** Adds up what the box said of each answer: the roads of the bytes that players really got. */
function served(clients: readonly PlaylistClient[]): RoadBytes {
  const all = clients.flatMap(({ fetched }) => fetched.map(({ roads }) => roads));
  const sum = (road: keyof RoadBytes) => all.reduce((bytes, roads) => bytes + roads[road], 0);
  return { satellite: sum("satellite"), repair: sum("repair"), internet: sum("internet") };
}

function satelliteFinding(what: string, media: RoadBytes): Finding {
  const share = total(media) === 0 ? 0 : media.satellite / total(media);
  return {
    what: `${what} at no loss`,
    holds: share >= satelliteShare,
    wanted: `${percent(satelliteShare)} or more of the bytes by satellite`,
    seen: `${percent(share)} of ${megabytes(total(media))} by satellite (repair ` +
      `${megabytes(media.repair)}, internet ${megabytes(media.internet)})`,
  };
}

function lossFinding(
  dropped: number,
  relayed: number,
  { media, repairFetched }: Stretch,
): Finding {
  const share = dropped / Math.max(1, dropped + relayed);
  return {
    what: "loss that was really there",
    holds: share > lossShare / 2 && media.repair > 0,
    wanted: `about ${percent(lossShare)} of the packets lost, and bytes by repair`,
    seen: `${dropped} packets, ${percent(share)}; ${megabytes(media.repair)} by repair ` +
      `(fetched ${megabytes(repairFetched)})`,
  };
}

async function purgeUnderLoad({ lab, system }: CheckOptions): Promise<Finding[]> {
  const names = ["shield-1", "edge-1", "edge-2", "stb-1"] as const;
  const nodes = Object.fromEntries(names.map((name) => [name, system.addresses[name].url]));
  const watch = new PurgeWatch(lab, nodes);
  const stop = new AbortController();
  const running = watch.run(stop.signal);
  const rounds: PurgeRound[] = [];
  await pause(1_000);
  for (let round = 0; round < purgeRounds; round++) rounds.push(await watch.round());
  stop.abort();
  await running;
  return [reachFinding(rounds), ...names.map((name) => oldFinding(rounds, name, watch.faults))];
}

function reachFinding(rounds: readonly PurgeRound[]): Finding {
  const wantedNodes = ["edge-1", "edge-2", "headend", "shield-1", "stb-1"];
  const missing = rounds.flatMap((round) => [
    ...round.missing,
    ...wantedNodes.filter((node) => !round.nodes.includes(node)),
  ]);
  const slowest = Math.max(...rounds.flatMap(({ tookMs }) => Object.values(tookMs)));
  return {
    what: "purge reached every node",
    holds: missing.length === 0,
    wanted: `${rounds.length} purges reported by ${wantedNodes.join(", ")}`,
    seen: missing.length === 0
      ? `${rounds.length} purges, ${wantedNodes.length} nodes, the slowest after ` +
        `${Math.ceil(slowest)} ms`
      : `no report of ${[...new Set(missing)].join(", ")}`,
  };
}

function oldFinding(
  rounds: readonly PurgeRound[],
  node: string,
  faults: readonly string[],
): Finding {
  const count = (pick: (round: PurgeRound) => number) =>
    rounds.reduce((sum, round) => sum + pick(round), 0);
  const answers = count(({ after }) => after[node].answers);
  const old = count(({ after }) => after[node].old);
  const oldBefore = count((round) => round.oldBefore);
  const own = faults.filter((fault) => fault.startsWith(`${node} `));
  return {
    what: `no old bytes from ${node}`,
    holds: old === 0 && answers > 0 && oldBefore > 0 && own.length === 0,
    wanted: "answers after its report, none of them old; old ones before the purge; no failures",
    seen: `${answers} answers after its report, ${old} old` +
      (oldBefore > 0 ? "" : "; none was old before the purge") +
      (own.length === 0 ? "" : `; ${examples(own)}`),
  };
}

function examples(faults: readonly string[]): string {
  const more = faults.length > 3 ? ` and ${faults.length - 3} more` : "";
  return faults.slice(0, 3).join(", ") + more;
}
