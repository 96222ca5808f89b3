/**
 * The link of a node to control: registers, heartbeats, fetches newer snapshots. Control away means
 * that the node goes on with what it has.
 *
 * @module
 */

import * as v from "valibot";
import { readAtMost } from "#http";
import type { ControlLinkOptions, LinkFault, LinkState } from "./control_link_types.ts";
import { few, list, name } from "./fields.ts";
import { parseSnapshot, type TopologySnapshot } from "./snapshot.ts";
import { SnapshotFile } from "./snapshot_file.ts";

const beatSchema = v.object({
  controlId: v.pipe(v.string(), v.maxLength(64)),
  snapshot: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  purgeSeq: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Next hops that traffic should not go to. */
  unavailable: v.optional(list(name, few), []),
  /** How often this node should report. */
  reportMs: v.optional(v.pipe(v.number(), v.minValue(100), v.maxValue(3_600_000))),
  /** The time over which a report that many have to make at once is spread. */
  spreadMs: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(600_000)), 0),
});

/** What control answers to a registration and to a heartbeat. */
type Beat = v.InferOutput<typeof beatSchema>;

/** Shortest time between two heartbeats, in milliseconds: a burst of purges is one report. */
const reportGapMs = 20;

/** Longest time until a control that gave no answer is tried again, in milliseconds. */
const longestRetryMs = 10_000;

/** Longest answer that is read, in bytes. */
const maxAnswerBytes = 32 * 2 ** 20;

/** An exchange with control that gave nothing usable. */
class LinkProblem extends Error {
  override name = "LinkProblem";
  constructor(readonly fault: LinkFault, detail: string, readonly status = 0) {
    super(detail);
  }
}

/** Keeps one node known to control, and its topology up to date. */
export class ControlLink {
  readonly #options: ControlLinkOptions;
  readonly #file: SnapshotFile;
  readonly #stopping = new AbortController();
  #state: LinkState = "starting";
  #snapshot: TopologySnapshot | undefined;
  #registered = false;
  #urgent = false;
  #pace: Pick<Beat, "reportMs" | "spreadMs"> = { spreadMs: 0 };
  #unavailable: ReadonlySet<string> = new Set();
  #wake: () => void = () => {};
  #running: Promise<void> | undefined;

  constructor(options: ControlLinkOptions) {
    this.#options = options;
    this.#file = new SnapshotFile(options.file);
  }

  /** Where this link stands. */
  get state(): LinkState {
    return this.#state;
  }

  /** The newest snapshot that this node holds; `undefined` before any. */
  get snapshot(): TopologySnapshot | undefined {
    return this.#snapshot;
  }

  /** Takes the snapshot from disk, then keeps in touch in the background. Never throws. */
  async start(): Promise<void> {
    const found = await this.#file.load();
    if (found.kind === "snapshot") this.#adopt(found.snapshot);
    if (found.kind === "corrupt") this.#faulted("snapshot_corrupt", this.#options.file);
    this.#running = this.#run();
  }

  /** Tells control at once what was applied. Calls that come meanwhile make one more heartbeat. */
  reportApplied(): void {
    this.#urgent = true;
    this.#wake();
  }

  /** Leaves control's membership, so that no purge waits for this node. Bounded; never throws. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
    if (this.#registered) await this.#leave();
    this.#enter("stopped");
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#urgent = false;
      try {
        const beat = await this.#beat();
        this.#enter("registered");
        this.#pace = beat;
        this.#followHealth(beat);
        await this.#followSnapshot(beat);
      } catch (error) {
        this.#fail(error);
      }
      await this.#pause();
    }
  }

  /** One heartbeat; registers when control does not know this node. */
  async #beat(): Promise<Beat> {
    const { node } = this.#options;
    if (this.#registered) {
      try {
        return await this.#call("POST", `/nodes/${node.id}/heartbeat`, this.#report());
      } catch (error) {
        if (!(error instanceof LinkProblem && error.status === 404)) throw error;
        this.#registered = false;
      }
    }
    const beat = await this.#call("POST", "/nodes", { ...node, ...this.#report() });
    this.#registered = true;
    return beat;
  }

  #report() {
    const { number = 0, controlId } = this.#snapshot ?? {};
    const { appliedSeq, logId, figures, box } = this.#options;
    const told = { figures: figures?.(), box: box?.() };
    return { appliedSeq: appliedSeq(), logId: logId?.(), snapshot: number, controlId, ...told };
  }

  async #call(method: string, path: string, body: unknown): Promise<Beat> {
    const parsed = v.safeParse(beatSchema, await this.#exchange(method, path, body));
    if (parsed.success) return parsed.output;
    throw new LinkProblem("bad_answer", `need {controlId, snapshot, purgeSeq} of ${path}`);
  }

  #followHealth({ unavailable }: Beat): void {
    const held = this.#unavailable;
    if (unavailable.length === held.size && unavailable.every((id) => held.has(id))) return;
    this.#unavailable = new Set(unavailable);
    this.#options.onUnavailable?.(this.#unavailable);
  }

  /** Fetches the topology when control has another one than this node. */
  async #followSnapshot({ snapshot: number, controlId }: Beat): Promise<void> {
    const held = this.#snapshot;
    if (number === 0 || (held?.number === number && held.controlId === controlId)) return;
    const snapshot = parseSnapshot(await this.#exchange("GET", "/topology"));
    if (snapshot === undefined) throw new LinkProblem("bad_answer", "need a topology snapshot");
    try {
      await this.#file.save(snapshot);
    } catch (error) {
      this.#faulted("snapshot_write", (error as Error).message);
    }
    this.#adopt(snapshot);
  }

  #adopt(snapshot: TopologySnapshot): void {
    this.#snapshot = snapshot;
    this.#options.onSnapshot?.(snapshot);
  }

  async #leave(): Promise<void> {
    try {
      await this.#exchange("DELETE", `/nodes/${this.#options.node.id}`, undefined, {
        signal: AbortSignal.timeout(1000),
      });
    } catch (error) {
      this.#faulted("away", (error as Error).message);
    }
  }

  /** One request with a JSON answer. @throws {LinkProblem} */
  async #exchange(
    method: string,
    path: string,
    body?: unknown,
    { signal = this.#stopping.signal } = {},
  ): Promise<unknown> {
    const { url, token, timeoutMs = 5000 } = this.#options;
    const headers = new Headers({ "content-type": "application/json" });
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    const stop = () => late.abort();
    signal.addEventListener("abort", stop);
    if (signal.aborted) late.abort();
    try {
      const response = await fetch(`${String(url).replace(/\/+$/, "")}${path}`, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        redirect: "error",
        signal: late.signal,
      });
      return readAnswer(response.status, await readText(response));
    } catch (error) {
      if (error instanceof LinkProblem) throw error;
      throw new LinkProblem("away", error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    }
  }

  #fail(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const fault = error instanceof LinkProblem ? error.fault : "bad_answer";
    this.#enter(fault === "refused" ? "refused" : "away");
    this.#faulted(fault, error instanceof Error ? error.message : String(error));
  }

  #faulted(fault: LinkFault, detail: string): void {
    this.#options.onFault?.(fault, detail);
  }

  #enter(state: LinkState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }

  /** Waits until the next heartbeat is due: soon when there is something to report. */
  async #pause(): Promise<void> {
    const { heartbeatMs = 2000, random = Math.random } = this.#options;
    const { reportMs = heartbeatMs, spreadMs } = this.#pace;
    const startedMs = performance.now();
    const well = this.#state === "registered";
    const dueMs = well ? reportMs : Math.min(reportMs, Math.max(heartbeatMs, longestRetryMs));
    const waitMs = dueMs * (0.75 + random() / 2);
    const hurryMs = Math.min(waitMs, Math.max(reportGapMs, random() * spreadMs));
    while (!this.#stopping.signal.aborted) {
      const hurries = this.#urgent && well;
      const leftMs = startedMs + (hurries ? hurryMs : waitMs) - performance.now();
      if (leftMs <= 0) return;
      await this.#sleep(leftMs);
    }
  }

  /** Sleeps, but not through a report or the end. */
  async #sleep(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    this.#wake = () => {};
  }
}

function readAnswer(status: number, text: string): unknown {
  if (status === 204) return undefined;
  if (status < 200 || status > 299) {
    const fault = [400, 401, 403, 409].includes(status) ? "refused" : "bad_answer";
    throw new LinkProblem(fault, `need success: received ${status} ${text.slice(0, 200)}`, status);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new LinkProblem("bad_answer", "need JSON", status);
  }
}

async function readText(response: Response): Promise<string> {
  const body = await readAtMost(response.body, maxAnswerBytes);
  if (body !== undefined) return new TextDecoder().decode(body);
  throw new LinkProblem("bad_answer", `need at most ${maxAnswerBytes} bytes`);
}
