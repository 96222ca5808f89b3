/**
 * Admission in front of the cache, in both lanes of the front: each request is asked once, and one
 * that came too soon is answered 429 without the cache, the next hop or the origin hearing of it.
 *
 * @module
 */

import { isIP } from "node:net";
import { type Admission, type Refusal, type Subject, subjectOf } from "#bucket";
import type { CacheAnswer } from "#cache";
import { type Field, fieldValue, listMembers, type RequestHead } from "#http";
import { clientOf, encodeHead, type FastAnswer } from "#http1";
import type { Peers } from "./peers.ts";

/** What a gate is made of. */
export interface GateOptions {
  readonly admission: Admission;
  readonly peers: Peers;
  /** The field in which a front proxy of ours names its client, in lower case. */
  readonly clientField: string | undefined;
  /** A clock that never steps, in milliseconds. */
  readonly steadyMs: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** The address of a client, as the front gives it: the same object for all of a connection. */
export type Remote = Pick<Deno.NetAddr, "hostname">;

/** A client as a connection shows it. */
interface Caller {
  readonly peer: boolean;
  /** `undefined` for our own nodes and for loopback, where a front proxy speaks for all. */
  readonly client: Subject | undefined;
}

/** Asks the admission about each request once. */
export class Gate {
  readonly #options: GateOptions;
  readonly #callers = new WeakMap<Remote, Caller>();
  /** Requests that came in by the fast lane, which had no answer for them. */
  readonly #admitted = new WeakSet<RequestHead>();

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** The fast lane behind the gate. `find` looks for a ready answer. */
  fast(
    head: RequestHead,
    remote: Remote,
    find: (head: RequestHead) => FastAnswer | undefined,
  ): FastAnswer | undefined {
    const { admission } = this.#options;
    if (!admission.active) return find(head);
    const refusal = this.#ask(head, remote);
    if (refusal !== undefined) return fastRefusal(refusal, head.method);
    const answer = find(head);
    if (answer === undefined) this.#admitted.add(head);
    else if (admission.countsBytes) this.sent(head, remote, answer.body?.length ?? 0);
    return answer;
  }

  /** Whether a request of the other lane may come in; `undefined` when it may. */
  refuse(head: RequestHead, remote: Remote): Refusal | undefined {
    if (!this.#options.admission.active || this.#admitted.delete(head)) return undefined;
    return this.#ask(head, remote);
  }

  /** Whether content is to be told to {@link sent}. */
  get countsBytes(): boolean {
    return this.#options.admission.countsBytes;
  }

  /** Counts content that goes to a client. */
  sent(head: RequestHead, remote: Remote, bytes: number): void {
    const { admission, steadyMs } = this.#options;
    admission.sent(head, this.#client(head, remote), bytes, Math.floor(steadyMs() * 1000));
  }

  #ask(head: RequestHead, remote: Remote): Refusal | undefined {
    const { admission, steadyMs, random } = this.#options;
    const nowUs = Math.floor(steadyMs() * 1000);
    return admission.admit(head, this.#client(head, remote), { nowUs, random });
  }

  #client(head: RequestHead, remote: Remote): Subject | undefined {
    let caller = this.#callers.get(remote);
    if (caller === undefined) {
      caller = this.#callerAt(remote.hostname);
      this.#callers.set(remote, caller);
    }
    const { clientField } = this.#options;
    if (!caller.peer || clientField === undefined) return caller.client;
    return namedClient(fieldValue(head.fields, clientField));
  }

  #callerAt(hostname: string): Caller {
    const peer = this.#options.peers.has(hostname);
    return { peer, client: peer ? undefined : subjectAt(hostname) };
  }
}

function subjectAt(address: string): Subject | undefined {
  const client = clientOf(address);
  return client === undefined ? undefined : subjectOf(`client ${client}`);
}

/**
 * The client that a front proxy names: the last address, which it added itself. What comes before is
 * what the client claims.
 */
function namedClient(value: string | undefined): Subject | undefined {
  const last = value === undefined ? undefined : listMembers(value).at(-1);
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::\d{1,5})?$/
    .exec(last ?? "") ?? [];
  const address = bracketed ?? plain ?? last ?? "";
  return isIP(address) === 0 ? undefined : subjectAt(canonicalAddress(address));
}

/** One spelling of an address: the URL parser's. */
function canonicalAddress(address: string): string {
  return isIP(address) === 4 ? address : new URL(`http://[${address}]`).hostname.slice(1, -1);
}

/** The same answer that {@link refusalResponse} makes, as octets. */
function fastRefusal({ status, fields, body }: Refusal, method: string): FastAnswer {
  const content = new TextEncoder().encode(body);
  const length: Field = ["content-length", String(content.length)];
  const head = encodeHead(status, [...fields, length]);
  // The front writes the empty line itself.
  const open = head.subarray(0, head.length - 2);
  return { head: open, body: method === "HEAD" ? undefined : content };
}

/** A refusal as the handler's answer. */
export function refusalResponse({ status, fields, body }: Refusal): Response {
  return new Response(body, { status, headers: fields.map(([name, value]) => [name, value]) });
}

/** Counts a body while it goes out. */
export function counted(
  body: CacheAnswer["body"],
  onBytes: (bytes: number) => void,
): CacheAnswer["body"] {
  if (body === null) return null;
  if (body instanceof Uint8Array) {
    onBytes(body.length);
    return body;
  }
  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        onBytes(chunk.length);
        controller.enqueue(chunk);
      },
    }),
  );
}
