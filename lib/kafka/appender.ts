/**
 * Appends to the purge topic: orders that come together go together, all of one batch or none.
 *
 * @module
 */

import type { Producer } from "kafkajs";
import type { KafkaOptions } from "./options.ts";

/** Bounds of a {@link KafkaAppender}. */
export interface KafkaAppenderOptions {
  /** How long an append may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether the broker recognises repetitions, as Kafka does; true by default. */
  readonly idempotent?: boolean;
  /** Most bytes that may wait. */
  readonly maxWaitingBytes?: number;
  /** Bytes of messages that go together; a larger append goes alone. */
  readonly batchBytes?: number;
}

/** An append that Kafka did not acknowledge. */
export class NotAppended extends Error {
  override name = "NotAppended";

  /** @param certain Whether it is certain that it will never be in the log. */
  constructor(detail: string, readonly certain: boolean, cause?: unknown) {
    super(detail, { cause });
  }
}

interface Waiting {
  readonly messages: readonly string[];
  readonly bytes: number;
  readonly dueMs: number;
  readonly resolve: (offset: number) => void;
  readonly reject: (error: NotAppended) => void;
}

type Client = { readonly producer: Producer; readonly end: () => void };

/** The one who writes; one batch is on its way at a time, so that their order is theirs. */
export class KafkaAppender {
  readonly #kafka: KafkaOptions;
  readonly #options: Required<KafkaAppenderOptions>;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #client: Promise<Client> | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(kafka: KafkaOptions, options: KafkaAppenderOptions) {
    this.#kafka = kafka;
    const defaults = { idempotent: true, maxWaitingBytes: 16 << 20, batchBytes: 512 << 10 };
    this.#options = { ...defaults, ...options };
  }

  /**
   * Adds messages, one after the other without others in between.
   *
   * @returns The offset of the first, when all in-sync replicas have it.
   * @throws {NotAppended}
   */
  append(messages: readonly string[]): Promise<number> {
    const bytes = messages.reduce((sum, message) => sum + message.length, 0);
    const { maxWaitingBytes, timeoutMs } = this.#options;
    if (this.#closed) return Promise.reject(new NotAppended("the log was closed", true));
    if (this.#waitingBytes + bytes > maxWaitingBytes && this.#waiting.length > 0) {
      const detail = `need room to wait for Kafka: received more than ${maxWaitingBytes} bytes`;
      return Promise.reject(new NotAppended(detail, true));
    }
    const dueMs = performance.now() + timeoutMs;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ messages, bytes, dueMs, resolve, reject });
      this.#waitingBytes += bytes;
      this.#running ??= this.#run();
    });
  }

  /** Appends what still waits, then disconnects. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    await this.#drop();
  }

  async #run(): Promise<void> {
    await undefined; // who appends in the same turn comes along
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        const offset = await this.#send(batch);
        let at = offset;
        for (const { messages, resolve } of batch) {
          resolve(at);
          at += messages.length;
        }
      } catch (error) {
        const problem = error instanceof NotAppended ? error : notAcknowledged(error);
        for (const { reject } of batch) reject(problem);
      }
    }
    this.#running = undefined;
  }

  /** The next batch. */
  #take(): Waiting[] {
    const batch: Waiting[] = [];
    let bytes = 0;
    while (this.#waiting.length > 0) {
      const [next] = this.#waiting;
      if (batch.length > 0 && bytes + next.bytes > this.#options.batchBytes) break;
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes;
      bytes += next.bytes;
      batch.push(next);
    }
    return batch;
  }

  async #send(batch: readonly Waiting[]): Promise<number> {
    // What came last may wait longest; what has waited too long was not sent at all.
    const leftMs = batch[batch.length - 1].dueMs - performance.now();
    if (leftMs <= 0) throw new NotAppended("Kafka did not take what came before it", true);
    let client: Client;
    try {
      client = await within(leftMs, this.#connect());
    } catch (error) {
      await this.#drop();
      throw new NotAppended(detailOf(error), true, error);
    }
    const messages = batch.flatMap((one) => one.messages).map((value) => ({ value, partition: 0 }));
    const { topic } = this.#kafka;
    try {
      const sent = client.producer.send({ topic, acks: -1, timeout: leftMs, messages });
      const [{ baseOffset }] = await within(leftMs, sent);
      return Number(baseOffset);
    } catch (error) {
      // Its next batch would get the sequence number of this one, and be taken for its repetition.
      await this.#drop();
      throw error;
    }
  }

  /** A producer whose repetitions the broker recognises; a new one after each failure. */
  #connect(): Promise<Client> {
    this.#client ??= (async () => {
      const { timeoutMs, idempotent } = this.#options;
      const retry = { initialRetryTime: 50, maxRetryTime: 500, retries: 30 };
      const times = { connectMs: Math.min(timeoutMs, 3000), requestMs: timeoutMs, retry };
      const { kafkaClient } = await import("./client.ts");
      const { kafka, end } = kafkaClient(this.#kafka, times);
      const producer = kafka.producer({
        idempotent,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        retry,
      });
      try {
        await producer.connect();
      } catch (error) {
        end();
        throw error;
      }
      return { producer, end };
    })();
    return this.#client;
  }

  async #drop(): Promise<void> {
    const dropped = this.#client;
    this.#client = undefined;
    if (dropped === undefined) return;
    // It may still be connecting: whenever it has, it is ended.
    const ended = dropped.then(({ producer, end }) => {
      end();
      return producer.disconnect();
    }).catch(() => {});
    await within(200, ended).catch(() => {});
  }
}

function notAcknowledged(error: unknown): NotAppended {
  const detail = `${detailOf(error)}; it may still come to be, and asking again with the same ` +
    "Idempotency-Key does it once";
  return new NotAppended(detail, false, error);
}

function detailOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n")[0].slice(0, 200);
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer of Kafka in ${Math.round(ms)} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
