/**
 * Follows the purge log: for ever, from the last number kept on disk, over one connection at a time.
 *
 * @module
 */

import type {
  FollowerFault,
  FollowerState,
  GapReason,
  PurgeFollowerOptions,
  StateFound,
} from "./follower_types.ts";
import { ConnectionFault } from "./log_source.ts";
import { Nap } from "./nap.ts";
import { Silence } from "./silence.ts";
import type { LogEntry } from "./record.ts";
import { StateFile, type StateKeeper } from "./state_file.ts";
import type { LogHead } from "./stream.ts";
import { WaitList } from "./wait_list.ts";

/** A connection that lasted this long was a good one: the next try comes soon. */
const goodConnectionMs = 1000;

/** Shortest wait between two tries when somebody waits for a record, in milliseconds. */
const soonestRetryMs = 25;

/** Stands for a log that cannot be gone on with, so that no later answer of its control fits. */
const noLog = "none";

/** Keeps a {@link PurgeIndex} up to date. */
export class PurgeFollower {
  readonly #options: PurgeFollowerOptions;
  readonly #file: StateKeeper;
  readonly #stopping = new AbortController();
  readonly #waiting = new WaitList();
  readonly #reachingEnd = new WaitList();
  #logId: string | undefined;
  /** The order of the record that was applied last; `undefined` when that was none. */
  #lastId: string | undefined;
  #state: FollowerState = "starting";
  #caughtUp = false;
  #lastHeardMs = 0;
  /** The state on disk lags behind the index: it is written anew before anything is added. */
  #unwritten = false;
  /** What this node had applied is not known; settled when the log is heard. */
  #lost = false;
  #running: Promise<void> | undefined;
  readonly #silence: Silence;
  readonly #nap = new Nap();

  constructor(options: PurgeFollowerOptions) {
    this.#options = options;
    const { file, index, silenceMs, onSilence } = options;
    this.#silence = new Silence(silenceMs, (silent) => {
      if (silent) index.distrust("silent");
      else index.trust("silent");
      onSilence?.(silent);
    });
    this.#file = typeof file === "string" ? new StateFile(file) : file;
  }

  /** Where this follower stands. */
  get state(): FollowerState {
    return this.#state;
  }

  /** Whether the log's end was reached once since the start. */
  get caughtUp(): boolean {
    return this.#caughtUp;
  }

  /** Wall clock of the last sign of life of the log, in milliseconds since the Unix epoch; 0 before any. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** The log that is followed; `undefined` before any was heard. */
  get logId(): string | undefined {
    return this.#logId;
  }

  /** Reads the state on disk, then follows the log in the background. Never throws. */
  async start(): Promise<StateFound> {
    const { found, logId, lastId } = await this.#file.load(this.#options.index);
    this.#logId = logId;
    this.#lastId = lastId;
    if (found === "corrupt") await this.#startLost();
    else await this.#replaceState(); // cuts off a torn line, and tells early that disk is read-only
    this.#silence.heard();
    this.#running = this.#run();
    return found;
  }

  /** Stops following and closes the state file. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#nap.end();
    await this.#running;
    this.#silence.stop();
    this.#waiting.close();
    this.#file.close();
    this.#enter("stopped");
  }

  /**
   * Waits until `seq` was applied: the fence. Wakes a follower that sleeps between two tries.
   *
   * @returns false when it was not within `timeoutMs`.
   */
  async waitFor(seq: number, timeoutMs: number): Promise<boolean> {
    if (this.#options.index.appliedSeq >= seq) return true;
    if (this.#stopping.signal.aborted) return false;
    this.#nap.hurry();
    return await this.#waiting.wait(seq, timeoutMs);
  }

  /** Waits until the log's end was reached once; false when it was not within `timeoutMs`. */
  async waitCaughtUp(timeoutMs: number): Promise<boolean> {
    if (this.#caughtUp) return true;
    await this.#reachingEnd.wait(0, timeoutMs);
    return this.#caughtUp;
  }
  async #run(): Promise<void> {
    let failures = 0;
    for (let settled = false; !this.#stopping.signal.aborted;) {
      const startedMs = performance.now();
      try {
        await this.#followOnce();
        // Once the place is settled go on at once; a control that never agrees has to wait.
        if (!settled) {
          settled = true;
          continue;
        }
      } catch (error) {
        this.#complain(error);
      }
      settled = false;
      if (this.#stopping.signal.aborted) break;
      if (this.#state !== "log_behind") this.#enter("away");
      if (performance.now() - startedMs >= goodConnectionMs) failures = 0;
      await this.#pause(failures++);
    }
    this.#reachingEnd.close();
  }

  /** One connection. Returns when the place in the log had to be settled, otherwise throws. */
  async #followOnce(): Promise<void> {
    const { index, source, stallMs = 10_000, silenceMs = Infinity } = this.#options;
    const opened = await source.open({
      afterSeq: index.appliedSeq,
      logId: this.#logId,
      lastId: this.#lastId,
      stallMs: Math.min(stallMs, silenceMs), // after a silence that was too long all begins anew
      signal: this.#stopping.signal,
    }, () => {
      this.#lastHeardMs = Date.now();
      this.#silence.heard();
    });
    const { head } = opened;
    if (opened.kind === "no_such_place") return await this.#settle(head);
    try {
      if (this.#isElsewhere(head)) return await this.#settle(head);
      if (this.#logId === undefined) {
        this.#logId = head.logId;
        await this.#replaceState();
      }
      this.#enter("catching_up");
      this.#noticeEnd(head.lastSeq);
      for await (const entries of opened.batches) {
        await this.#accept(entries);
        this.#noticeEnd(head.lastSeq);
      }
    } finally {
      await opened.close();
    }
  }

  /** Whether the log is not the one that this node has applied. */
  #isElsewhere(head: LogHead): boolean {
    const changed = this.#logId !== undefined && head.logId !== this.#logId;
    return this.#lost || changed || head.lastSeq < this.#options.index.appliedSeq;
  }

  #noticeEnd(lastSeq: number): void {
    if (this.#state === "following" || this.#options.index.appliedSeq < lastSeq) return;
    this.#silence.end();
    this.#caughtUp = true;
    this.#enter("following");
    this.#reachingEnd.reached(0);
  }

  /** Keeps entries on disk, then applies them. */
  async #accept(entries: readonly LogEntry[]): Promise<void> {
    const { index, onApplied } = this.#options;
    const { fresh, gap } = nextEntries(entries, index.appliedSeq);
    if (fresh.length > 0) {
      await this.#keep(fresh);
      for (const entry of fresh) index.apply(entry);
      this.#lastId = orderOf(fresh[fresh.length - 1]);
      if (this.#unwritten || this.#file.wantsReplace(index)) await this.#replaceState();
      this.#waiting.reached(index.appliedSeq);
      onApplied?.(fresh);
    }
    if (gap !== undefined) {
      const detail = `need entry ${index.appliedSeq + 1}: received ${gap.seq}`;
      throw new ConnectionFault("gap", detail);
    }
  }

  async #keep(entries: readonly LogEntry[]): Promise<void> {
    if (this.#unwritten) return;
    try {
      await this.#file.append(entries);
    } catch (error) {
      this.#unwritten = true;
      this.#faulted("state_write", error);
    }
  }

  async #replaceState(): Promise<void> {
    try {
      await this.#file.replace({
        logId: this.#logId,
        lastId: this.#lastId,
        index: this.#options.index.save(),
      });
      this.#unwritten = false;
    } catch (error) {
      this.#unwritten = true;
      this.#faulted("state_write", error);
    }
  }

  /** The state file is damaged: nothing in the store can be vouched for. */
  async #startLost(): Promise<void> {
    this.#lost = true;
    const { index, onGap } = this.#options;
    index.distrust();
    if (onGap === undefined) return; // stays so until the log is heard
    await this.#tellGap("corrupt_state");
    index.trust();
  }

  /** Goes on at a place that the log does have; everything older is gone. */
  async #settle(head: LogHead): Promise<void> {
    const { index } = this.#options;
    const known = head.logId === this.#logId || this.#logId === undefined;
    const retention = known && !this.#lost && index.appliedSeq < head.firstSeq - 1;
    const toSeq = retention ? head.firstSeq - 1 : head.lastSeq;
    index.distrust();
    if (toSeq < index.appliedSeq) return await this.#refuseLog(head);
    const reason = this.#lost ? "corrupt_state" : retention ? "retention" : "log_changed";
    index.gapTo(toSeq);
    this.#logId = head.logId;
    this.#lastId = undefined;
    this.#lost = false;
    // In this order: who is killed between the two meets the same gap again.
    await this.#tellGap(reason);
    await this.#replaceState();
    index.trust();
    this.#waiting.reached(index.appliedSeq);
  }

  /** The log is shorter than what was applied, so its next numbers would be taken for old ones. */
  async #refuseLog({ lastSeq }: LogHead): Promise<never> {
    if (this.#state !== "log_behind") {
      this.#enter("log_behind");
      this.#logId = noLog;
      await this.#replaceState();
      await this.#tellGap("log_behind");
    }
    const detail = `need a log up to ${this.#options.index.appliedSeq}: received up to ${lastSeq}`;
    throw new ConnectionFault("gap", detail);
  }

  async #tellGap(reason: GapReason): Promise<void> {
    try {
      await this.#options.onGap?.(reason);
    } catch (error) {
      this.#faulted("gap", error);
    }
  }

  async #pause(failures: number): Promise<void> {
    const { retryMs = { first: 100, last: 5000 }, random = Math.random } = this.#options;
    const longest = Math.min(retryMs.last, retryMs.first * 2 ** Math.min(failures, 20));
    await this.#nap.sleep(longest * (0.5 + random() / 2), soonestRetryMs);
  }

  #complain(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    this.#faulted(error instanceof ConnectionFault ? error.fault : "bad_answer", error);
  }

  #faulted(fault: FollowerFault, error: unknown): void {
    this.#options.onFault?.(fault, error instanceof Error ? error.message : String(error));
  }

  #enter(state: FollowerState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onState?.(state);
  }
}

/** The order that an entry came with; a hole came with none. */
function orderOf(entry: LogEntry): string | undefined {
  return entry.kind === "skipped" ? undefined : entry.id;
}

/** Splits what came into the entries that continue `appliedSeq`, and the first that does not. */
function nextEntries(entries: readonly LogEntry[], appliedSeq: number) {
  const fresh: LogEntry[] = [];
  let seq = appliedSeq;
  for (const entry of entries) {
    if (entry.seq <= seq) continue;
    const fromSeq = entry.kind === "skipped" ? entry.fromSeq : entry.seq;
    if (fromSeq > seq + 1) return { fresh, gap: entry };
    fresh.push(entry);
    seq = entry.seq;
  }
  return { fresh, gap: undefined };
}
