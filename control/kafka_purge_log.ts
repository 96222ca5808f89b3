/**
 * The purge log in Kafka as control sees it: what is appended goes to Kafka, what is read comes from a
 * copy in control's SQLite file, which follows Kafka like any node.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import {
  encodeMark,
  encodePurge,
  KafkaAppender,
  kafkaLog,
  type KafkaOptions,
  type LogLife,
  openTopic,
} from "#kafka";
import {
  ConnectionFault,
  type FollowerFault,
  type LogEntry,
  type LogHead,
  type LogSource,
  type NewPurge,
  type OpenStream,
  type PurgeLog,
  type PurgeRecord,
} from "#purge";
import type { Database } from "./database.ts";
import { refuseFarSkip } from "./purge_log.ts";
import { PurgeTable, type Retention } from "./purge_table.ts";

/** What a {@link KafkaPurgeLog} needs. Times are in milliseconds. */
export interface KafkaPurgeLogOptions extends Retention {
  readonly kafka: KafkaOptions;
  /** Copies of a topic that is made; the cluster's default when absent. */
  readonly replicas?: number;
  /** How long an append may take; 5000 by default. */
  readonly timeoutMs?: number;
  /** Silence of Kafka after which it is asked anew; 10 000 by default. */
  readonly stallMs?: number;
  readonly nowMs: () => number;
  readonly onFault?: (fault: FollowerFault, detail: string) => void;
  readonly onFollowing?: (following: boolean) => void;
}

/** Wait before the next try, in milliseconds. */
const retryMs = { first: 50, last: 2000 };

/** How long an append waits for its records to come back in the copy, in milliseconds. */
const copyMs = 1000;

/** Name under which the database keeps which log its copy is of. */
const logIdName = "kafka_log_id";

/** A purge log whose records are in Kafka as soon as `append` has answered. */
export class KafkaPurgeLog implements PurgeLog {
  readonly copies = true;
  readonly #database: Database;
  readonly #table: PurgeTable;
  readonly #options: KafkaPurgeLogOptions;
  readonly #source: LogSource;
  readonly #appender: KafkaAppender;
  readonly #timeoutMs: number;
  readonly #stopping = new AbortController();
  #life: LogLife | undefined;
  /** The log that the copy is of; empty before any was heard. */
  #logId: string;
  #following = Promise.withResolvers<void>();
  #isFollowing = false;
  #awaySinceMs = performance.now();
  #newestMs: number;
  #running: Promise<void> | undefined;
  #lastProblem = "not heard yet";

  constructor(database: Database, options: KafkaPurgeLogOptions) {
    this.#database = database;
    this.#logId = database.meta(logIdName) ?? "";
    this.#table = new PurgeTable(database);
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.#source = kafkaLog(options.kafka, (life) => this.#life = life);
    this.#appender = new KafkaAppender(options.kafka, { timeoutMs: this.#timeoutMs });
    this.#newestMs = options.nowMs();
  }

  get logId(): string {
    return this.#logId;
  }

  get firstSeq(): number {
    return this.#table.firstSeq;
  }

  get lastSeq(): number {
    return this.#table.lastSeq;
  }

  /** Begins to follow Kafka, for ever. Resolves when its end was reached, or after `timeoutMs`. */
  async start(timeoutMs: number): Promise<void> {
    this.#running = this.#run();
    await this.#whenFollowing(timeoutMs);
  }

  async append(purges: readonly NewPurge[]): Promise<readonly PurgeRecord[]> {
    const issuedMs = this.#options.nowMs();
    const life = await this.#writable();
    const messages = purges.map((purge) => encodePurge(purge, issuedMs, life));
    const firstSeq = life.base + await this.#appender.append(messages);
    const records = purges.map((purge, i) => ({ ...purge, seq: firstSeq + i, issuedMs }));
    // Kafka has it: whatever becomes of the copy, the answer is yes.
    await this.#table.waitBeyond(firstSeq + purges.length - 2, AbortSignal.timeout(copyMs));
    return records;
  }

  read(after: number, limit: number): readonly LogEntry[] {
    return this.#table.read(after, limit);
  }

  order(id: string): readonly PurgeRecord[] {
    return this.#table.order(id);
  }

  newest(limit: number): readonly PurgeRecord[] {
    return this.#table.newest(limit);
  }

  waitBeyond(after: number, signal: AbortSignal): Promise<void> {
    return this.#table.waitBeyond(after, signal);
  }

  async skipTo(seq: number): Promise<boolean> {
    if (seq <= this.#table.lastSeq) return false;
    refuseFarSkip(seq, this.#table.lastSeq);
    await this.#mark(await this.#writable(), seq);
    await this.#table.waitBeyond(seq - 1, AbortSignal.timeout(copyMs));
    return true;
  }

  /**
   * Drops what the copy need not keep. Kafka drops by itself; it gets a mark now and then, so that
   * its newest message, which says which log it is, never goes.
   */
  trim(): number {
    const { nowMs, retentionMs } = this.#options;
    if (this.#isFollowing && nowMs() - this.#newestMs > retentionMs / 2) {
      this.#newestMs = nowMs();
      this.#writable().then((life) => this.#appender.append([encodeMark(life)]))
        .catch((error) => this.#faulted("refused", error));
    }
    return this.#table.trim(this.#options, nowMs());
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#appender.close();
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stopping.signal.aborted;) {
      try {
        await this.#begin();
        for (;;) await this.#followOnce(() => failures = 0);
      } catch (error) {
        this.#awaits();
        if (this.#stopping.signal.aborted) break;
        this.#lastProblem = error instanceof Error ? error.message : String(error);
        this.#faulted(error instanceof ConnectionFault ? error.fault : "refused", error);
      }
      await this.#sleep(Math.min(retryMs.last, retryMs.first * 2 ** Math.min(failures++, 10)));
    }
    this.#awaits();
  }

  /** Makes the topic, and begins a log in one that is empty. */
  async #begin(): Promise<void> {
    const { kafka, replicas, retentionMs } = this.#options;
    const { problem, empty, nextOffset } = await openTopic(kafka, { retentionMs, replicas });
    if (problem !== undefined) throw new ConnectionFault("bad_answer", problem);
    if (!empty) return;
    // A topic that was made anew goes on above all numbers that were ever given.
    const { lastSeq } = this.#table;
    const base = lastSeq === 0 && nextOffset === 0 ? 0 : Math.max(0, lastSeq + 1 - nextOffset);
    const known = nextOffset > 0 && this.#logId;
    await this.#appender.append([encodeMark({ logId: known || randomUUID(), base })]);
  }

  /** One connection. Returns when the place in the log had to be settled, otherwise throws. */
  async #followOnce(onGood: () => void): Promise<void> {
    const { stallMs = 10_000 } = this.#options;
    const opened = await this.#source.open({
      afterSeq: this.#table.lastSeq,
      logId: this.#copiedLog(),
      lastId: this.#lastId(),
      stallMs,
      signal: this.#stopping.signal,
    }, () => {});
    if (opened.kind === "no_such_place") return await this.#settle(opened.head);
    onGood();
    try {
      const { logId } = opened.head;
      if (logId !== this.#logId) this.#database.setMeta(logIdName, logId);
      this.#logId = logId;
      await this.#copy(opened);
    } finally {
      await opened.close();
    }
  }

  async #copy({ head, batches }: OpenStream): Promise<void> {
    const { nowMs } = this.#options;
    this.#noticeEnd(head.lastSeq);
    for await (const entries of batches) {
      const fresh = entries.filter(({ seq }) => seq > this.#table.lastSeq);
      if (fresh.length > 0) this.#table.add(fresh, nowMs());
      this.#newestMs = nowMs();
      this.#noticeEnd(head.lastSeq);
    }
  }

  /** Goes on at a place that the log does have; whoever followed the copy finds a gap. */
  async #settle({ logId, firstSeq, lastSeq }: LogHead): Promise<void> {
    const { lastSeq: copied } = this.#table;
    const retention = (this.#copiedLog() ?? logId) === logId && copied < firstSeq - 1;
    let next = retention ? firstSeq - 1 : lastSeq;
    if (next <= copied && !retention) {
      next = copied + 1;
      await this.#mark(this.#life ?? { logId, base: 0 }, next);
    }
    this.#table.restart(next, () => this.#database.setMeta(logIdName, logId));
    this.#logId = logId;
  }

  /** Appends a mark whose number is `seq` or more. */
  async #mark({ logId, base }: LogLife, seq: number): Promise<void> {
    const { kafka, retentionMs } = this.#options;
    const { nextOffset } = await openTopic(kafka, { retentionMs });
    await this.#appender.append([encodeMark({ logId, base: Math.max(base, seq - nextOffset) })]);
  }

  /** Which log the copy is of; that of a control that had an embedded one is another. */
  #copiedLog(): string | undefined {
    if (this.logId !== "") return this.logId;
    return this.#table.lastSeq === 0 ? undefined : this.#database.controlId;
  }

  #lastId(): string | undefined {
    const [entry] = this.#table.read(this.#table.lastSeq - 1, 1);
    return entry === undefined || entry.kind === "skipped" ? undefined : entry.id;
  }

  /** The life of the log, once its end is known here. @throws {Error} */
  async #writable(): Promise<LogLife> {
    const leftMs = this.#awaySinceMs + this.#timeoutMs - performance.now();
    const reached = this.#isFollowing || await this.#whenFollowing(Math.max(0, leftMs));
    if (reached && this.#life !== undefined) return this.#life;
    throw new Error(`Kafka does not answer (${this.#lastProblem})`);
  }

  async #whenFollowing(timeoutMs: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, timeoutMs));
    await Promise.race([this.#following.promise, late]);
    clearTimeout(timer);
    return this.#isFollowing;
  }

  #noticeEnd(lastSeq: number): void {
    if (this.#isFollowing || this.#table.lastSeq < lastSeq) return;
    this.#isFollowing = true;
    this.#following.resolve();
    this.#options.onFollowing?.(true);
  }

  #awaits(): void {
    if (!this.#isFollowing) return;
    this.#isFollowing = false;
    this.#awaySinceMs = performance.now();
    this.#following = Promise.withResolvers();
    this.#options.onFollowing?.(false);
  }

  async #sleep(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    clearTimeout(timer);
  }

  #faulted(fault: FollowerFault, error: unknown): void {
    this.#options.onFault?.(fault, error instanceof Error ? error.message : String(error));
  }
}
