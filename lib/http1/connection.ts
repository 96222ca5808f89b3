/**
 * One connection: heads in, answers out, in order, until one side has enough (RFC 9112 §9).
 *
 * @module
 */

import type { Field, RequestHead } from "#http";
import type { CloseReason } from "./event.ts";
import type { FastAnswer, JoinedAnswer } from "./exchange.ts";
import type { Front } from "./front.ts";
import { HandlerLane, type HandlerOutcome, refusalBytes } from "./handler_lane.ts";
import { HeadParser, type ParsedHead } from "./head_parser.ts";
import { Input } from "./input.ts";
import { Output, writeAnswer } from "./output.ts";
import { type Http1Rejection, rejectionStatus } from "./rejection.ts";
import { RequestBody } from "./request_body.ts";

/** The server as a connection sees it. */
export interface ConnectionHome extends Front {
  /** The next of the numbers that tell who has been idle for longer. */
  idleTurn(): number;
  /** The connection is closed and everything said about it. */
  forget(connection: Connection): void;
}

/** What a connection is doing; it decides what a passed deadline means. */
type Phase = "handshake" | "idle" | "head" | "exchange" | "lingering";

/** What a refused client may still send before it is cut off. */
const maxLingerBytes = 256 * 1024;
/** While draining: how long a connection without a request may still bring one. */
const drainGraceMs = 300;
/** How long a closed connection may take to let go of its last write. */
const stuckMs = 250;

/** A connection being served. */
export class Connection {
  readonly #front: ConnectionHome;
  readonly #conn: Deno.Conn;
  readonly #input: Input;
  readonly #output: Output;
  readonly #parser: HeadParser;
  readonly #remote: Deno.NetAddr;
  #phase: Phase = "head";
  #requests = 0;
  #idleTurn = 0;
  #lane: HandlerLane | undefined;
  #body: RequestBody | undefined;
  #reason: CloseReason | undefined;
  #closed = false;
  #told = false;
  #stuckTimer: ReturnType<typeof setTimeout> | undefined;
  #watching = false;
  /** A body was announced that nobody will read. */
  #unread = false;
  #sentAtHalfClose = 0;

  constructor(front: ConnectionHome, conn: Deno.Conn) {
    this.#front = front;
    this.#conn = conn;
    this.#input = new Input(conn, front.limits.maxHeadBytes + 1024);
    this.#output = new Output(conn, front);
    this.#parser = new HeadParser(front.limits);
    this.#remote = conn.remoteAddr as Deno.NetAddr;
  }

  /** Serves until the connection is closed and nothing of it is left. */
  async run(): Promise<void> {
    if (!this.#front.secure || await this.#shakeHands()) {
      let parsed: ParsedHead | undefined;
      do {
        parsed = await this.#answerReady();
      } while (parsed && await this.#serve(parsed));
    }
    if (this.#mayBeSending()) await this.#endAndLinger();
    if (this.#front.secure) await this.#flush();
    this.abort("done");
    this.#tellClosed();
  }

  async #shakeHands(): Promise<boolean> {
    this.#phase = "handshake";
    this.#input.deadlineMs = performance.now() + this.#front.limits.handshakeTimeoutMs;
    try {
      await (this.#conn as Deno.TlsConn).handshake();
    } catch {
      this.#reason ??= "handshake_failed";
    }
    if (this.#closed) closeQuietly(this.#conn);
    return this.#reason === undefined;
  }

  /**
   * Gives a handshake up. Deno goes on with it even on a closed connection, so that this one counts
   * as held until the client is done or gone: what it costs stays within the caps.
   */
  #leaveHandshake(reason: CloseReason): void {
    this.#reason ??= reason;
    this.#closed = true;
    this.#tellClosed();
  }

  /** A write over TLS is done when it is in our own buffer: what is there must still go. */
  async #flush(): Promise<void> {
    if (this.#closed || this.#input.failed || this.#reason === "handshake_failed") return;
    this.#phase = "lingering";
    await this.#output.end().catch(() => {});
  }

  #tellClosed(): void {
    clearTimeout(this.#stuckTimer);
    if (this.#told) return;
    this.#told = true;
    this.#front.emit({
      kind: "closed",
      reason: this.#reason ?? "done",
      requests: this.#requests,
      receivedBytes: this.#input.receivedBytes,
      sentBytes: this.#output.sentBytes,
    });
    this.#front.forget(this);
  }

  /** The lower, the longer it has waited for a request; `Infinity` when it does not. */
  get idleOrder(): number {
    return this.#phase === "idle" && !this.#closed ? this.#idleTurn : Infinity;
  }

  /** Ends what waits for a request; what is being answered goes on. */
  drain(): void {
    if (this.#phase === "handshake") return this.#leaveHandshake("drained");
    if (this.#phase === "idle" || (this.#phase === "head" && this.#input.length === 0)) {
      const graceMs = performance.now() + drainGraceMs;
      this.#input.deadlineMs = Math.min(this.#input.deadlineMs, graceMs);
    }
  }

  /** Cuts the connection; the first reason given is the one told. */
  abort(reason: CloseReason): void {
    this.#reason ??= reason;
    if (this.#closed) return;
    this.#closed = true;
    closeQuietly(this.#conn);
    this.#lane?.abandon();
    // Deno 2.4 cannot cut a write that waits; it ends when the client leaves.
    this.#stuckTimer = setTimeout(() => this.#tellClosed(), stuckMs);
  }

  /** Acts on deadlines that have passed at `nowMs` of `performance.now()`. */
  checkDeadlines(nowMs: number): void {
    if (this.#output.deadlineMs <= nowMs) this.abort("write_timeout");
    if (this.#input.deadlineMs > nowMs) return;
    this.#input.deadlineMs = Infinity;
    if (this.#phase === "idle") this.abort(this.#front.draining ? "drained" : "idle_timeout");
    else if (this.#phase === "lingering") this.abort("rejected");
    else if (this.#phase === "handshake") this.#leaveHandshake("handshake_timeout");
    else if (this.#phase === "exchange") this.#exchangeOverdue(nowMs);
    else if (this.#input.length > 0) void this.#refuse("head_timeout");
    else this.abort(this.#front.draining ? "drained" : "head_timeout");
  }

  #exchangeOverdue(nowMs: number): void {
    if (!this.#input.ended) {
      this.#body?.timeOut();
    } else if (this.#output.sentBytes > this.#sentAtHalfClose) {
      this.#sentAtHalfClose = this.#output.sentBytes;
      this.#input.deadlineMs = nowMs + this.#front.limits.halfCloseTimeoutMs;
    } else {
      this.abort("client_gone");
    }
  }

  /**
   * Reads heads and answers what is ready, up to a request that is not; `undefined` when none will
   * come, with everything said about it.
   */
  async #answerReady(): Promise<ParsedHead | undefined> {
    this.#expectHead();
    while (true) {
      const length = this.#input.length;
      const outcome = length > 0 ? this.#parser.parse(this.#input.bytes) : "need_more";
      if (outcome === "need_more") {
        if (!this.#hasMore(await this.#input.fill())) break;
        continue;
      }
      if (typeof outcome === "string") {
        await this.#refuse(outcome);
        break;
      }
      this.#takeHead(outcome);
      const answer = outcome.body.kind === "none" ? this.#fastAnswer(outcome.head) : undefined;
      if (answer === undefined) return outcome;
      if (!await this.#send(answer, outcome)) return undefined;
      this.#expectHead();
    }
    if (this.#phase === "lingering") await this.#linger();
    return undefined;
  }

  /** Whether a read brought something for the head; `false` when none will come. */
  #hasMore(more: boolean): boolean {
    if (this.#phase === "lingering") return false;
    if (more && this.#phase === "idle") this.#startHead();
    if (!more) this.#reason ??= this.#input.length > 0 ? "head_cut_off" : "client";
    return more;
  }

  #takeHead({ headBytes }: ParsedHead): void {
    this.#input.consume(headBytes);
    this.#input.deadlineMs = Infinity;
    this.#phase = "exchange";
    this.#requests++;
    this.#body = undefined;
  }

  #expectHead(): void {
    this.#parser.reset();
    if (this.#requests === 0 || this.#input.length > 0) return this.#startHead();
    this.#phase = "idle";
    this.#idleTurn = this.#front.idleTurn();
    this.#input.deadlineMs = this.#front.clock.deadlineIn(this.#front.limits.idleTimeoutMs);
    if (this.#front.draining) this.drain();
  }

  #startHead(): void {
    this.#phase = "head";
    this.#input.deadlineMs = this.#front.clock.deadlineIn(this.#front.limits.headTimeoutMs);
  }

  #goesOn(parsed: ParsedHead): boolean {
    return parsed.keepAlive && !this.#front.draining &&
      this.#requests < this.#front.limits.maxRequestsPerConnection;
  }

  /** Answers one request that was not ready; returns whether another may follow. */
  async #serve(parsed: ParsedHead): Promise<boolean> {
    let { head } = parsed;
    let goesOn = this.#goesOn(parsed);
    let bodyless = parsed.body.kind === "none";
    if (!bodyless && (head.method === "GET" || head.method === "HEAD")) {
      // Such a body means nothing (RFC 9110 §9.3.1): nobody behind us ever sees it.
      if (!parsed.expectsContinue && !await this.#drainBody(parsed)) return false;
      if (parsed.expectsContinue) [goesOn, this.#unread] = [false, true];
      head = withoutBody(head);
      bodyless = true;
      const answer = this.#fastAnswer(head);
      if (answer) return await this.#sendFast(answer, parsed, goesOn);
    }
    return await this.#handle(parsed, head, { goesOn, bodyless });
  }

  #fastAnswer(head: RequestHead): FastAnswer | undefined {
    try {
      return this.#front.fastLane?.(head, this.#remote);
    } catch (error) {
      this.#front.emit({ kind: "handler_failed", error });
      return undefined;
    }
  }

  /** Sends what is ready; returns whether another request may follow. */
  #send(answer: FastAnswer, parsed: ParsedHead): Promise<boolean> {
    const goesOn = this.#goesOn(parsed);
    const inOne = goesOn && parsed.minorVersion === 1 && parsed.head.method !== "HEAD";
    return inOne && answer.joined
      ? this.#sendJoined(answer.joined)
      : this.#sendFast(answer, parsed, goesOn);
  }

  /** Sends an answer in one piece. Its head belongs to this write until it has gone. */
  async #sendJoined({ bytes, headBytes, writers }: JoinedAnswer): Promise<boolean> {
    writers.unsent++;
    let holds = true;
    try {
      let rest = bytes;
      while (rest.length > 0) {
        const count = await this.#output.writeOnce(rest);
        rest = rest.subarray(count);
        if (holds && bytes.length - rest.length >= headBytes) {
          holds = false;
          writers.unsent--;
        }
      }
    } catch {
      if (holds) writers.unsent--;
      this.#reason ??= "client_gone";
      return false;
    }
    const sentBytes = bytes.length;
    this.#front.emit({ kind: "answered", lane: "fast", status: statusOf(bytes), sentBytes });
    return true;
  }

  async #sendFast(answer: FastAnswer, parsed: ParsedHead, keepAlive: boolean): Promise<boolean> {
    const { head, body, dated = false } = answer;
    const { minorVersion } = parsed;
    let sentBytes: number;
    try {
      const shown = parsed.head.method === "HEAD" ? undefined : body;
      const ending = this.#front.dates.ending({ keepAlive, minorVersion, dated });
      sentBytes = await writeAnswer(this.#output, head, ending, shown);
    } catch {
      answer.done?.(false);
      this.#reason ??= "client_gone";
      return false;
    }
    answer.done?.(true);
    this.#front.emit({ kind: "answered", lane: "fast", status: statusOf(head), sentBytes });
    return keepAlive;
  }

  async #handle(
    parsed: ParsedHead,
    head: RequestHead,
    { goesOn, bodyless }: { goesOn: boolean; bodyless: boolean },
  ): Promise<boolean> {
    const body = bodyless ? undefined : this.#openBody(parsed, () => lane.sendContinue());
    const broken = body?.prime();
    if (broken && broken !== "cut_off") return await this.#refuseAndEnd(broken);
    const lane = new HandlerLane({
      front: this.#front,
      parsed,
      head,
      body,
      output: this.#output,
      remote: this.#remote,
      local: this.#conn.localAddr as Deno.NetAddr,
      keepAlive: goesOn,
    });
    this.#lane = lane;
    void this.#watch();
    const outcome = await lane.run();
    this.#lane = undefined;
    this.#input.deadlineMs = Infinity;
    return await this.#conclude(outcome, body);
  }

  /** Decides what follows an exchange with the app. */
  async #conclude(outcome: HandlerOutcome, body: RequestBody | undefined): Promise<boolean> {
    if (outcome.kind === "gone") {
      this.#reason ??= "client_gone";
      return false;
    }
    if (outcome.kind === "refuse") return await this.#refuseAndEnd(outcome.reason);
    if (outcome.failure) {
      this.#reason ??= "body_failed";
      return false;
    }
    const { maxDrainBytes } = this.#front.limits;
    if (outcome.keepAlive && (!body || body.done || await body.drain(maxDrainBytes))) return true;
    this.#reason ??= "done";
    return false;
  }

  /** The connection ends with an answer, but not all was read that the client has to say. */
  #mayBeSending(): boolean {
    const open = !this.#closed && this.#phase === "exchange" && this.#reason !== "body_failed";
    return open && (this.#input.length > 0 || this.#unread || this.#body?.done === false);
  }

  #openBody(parsed: ParsedHead, onFirstWait: () => void): RequestBody {
    if (parsed.body.kind === "none") throw new TypeError("Cannot open body: need one");
    this.#body = new RequestBody({
      framing: parsed.body,
      input: this.#input,
      limits: this.#front.limits,
      onFirstWait: parsed.expectsContinue ? onFirstWait : undefined,
      onDecoded: () => void this.#watch(),
    });
    return this.#body;
  }

  /** Drops the body of a GET or HEAD; `false` when it was refused. */
  async #drainBody(parsed: ParsedHead): Promise<boolean> {
    const body = this.#openBody(parsed, () => {});
    if (await body.drain(this.#front.limits.maxDrainBytes)) return true;
    if (body.failure === "cut_off") this.#reason ??= "client_gone";
    else await this.#refuseAndEnd(body.failure ?? "body_too_large");
    return false;
  }

  /** Reads ahead while the app works, to learn when the client goes away. */
  async #watch(): Promise<void> {
    if (this.#watching) return;
    this.#watching = true;
    while (this.#lane && !this.#input.ended && !this.#input.full) await this.#input.fill();
    this.#watching = false;
    if (!this.#lane || !this.#input.ended) return;
    if (this.#input.failed) return this.abort("client_gone");
    this.#sentAtHalfClose = this.#output.sentBytes;
    this.#input.deadlineMs = performance.now() + this.#front.limits.halfCloseTimeoutMs;
  }

  async #refuseAndEnd(reason: Http1Rejection): Promise<false> {
    await this.#refuse(reason);
    await this.#linger();
    return false;
  }

  /** Answers a request that is not served, and ends our side. */
  async #refuse(reason: Http1Rejection): Promise<void> {
    const { dates, limits } = this.#front;
    this.#reason ??= reason === "head_timeout" || reason === "body_timeout" ? reason : "rejected";
    this.#phase = "lingering";
    this.#input.deadlineMs = performance.now() + limits.lingerTimeoutMs;
    this.#front.emit({ kind: "rejected", reason, status: rejectionStatus[reason] });
    try {
      await this.#output.write(
        refusalBytes(reason, { method: this.#parser.method, date: dates.value }),
      );
      await this.#output.end();
    } catch {
      this.abort("client_gone");
    }
  }

  /** Ends our side of a connection on which the client may still be sending. */
  async #endAndLinger(): Promise<void> {
    this.#reason ??= "done";
    this.#phase = "lingering";
    this.#input.deadlineMs = performance.now() + this.#front.limits.lingerTimeoutMs;
    try {
      await this.#output.end();
    } catch {
      return this.abort("client_gone");
    }
    await this.#linger();
  }

  /**
   * Reads on for a while: closing with unread bytes would reset the connection, and with it the
   * answer that the client has not read (RFC 9112 §9.6).
   */
  async #linger(): Promise<void> {
    let bytes = 0;
    do {
      bytes += this.#input.length;
      this.#input.consume(this.#input.length);
    } while (bytes < maxLingerBytes && await this.#input.fill());
  }
}

/** Closes a connection that may be closed already. */
export function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It was.
  }
}

/** Without the fields that speak of a body, for a request whose body was dropped. */
function withoutBody(head: RequestHead): RequestHead {
  const speaksOfBody = ([name]: Field) =>
    name === "content-length" || name === "transfer-encoding" || name === "trailer" ||
    name === "expect";
  return { ...head, fields: head.fields.filter((field) => !speaksOfBody(field)) };
}

/** The status in a status line: `HTTP/1.1 NNN`. */
function statusOf(head: Uint8Array): number {
  return (head[9] - 0x30) * 100 + (head[10] - 0x30) * 10 + (head[11] - 0x30);
}
