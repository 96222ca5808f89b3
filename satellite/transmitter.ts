/**
 * Sends what the planner says at the rate that the pacer allows. The only place that waits for time to
 * send; it wakes every few milliseconds, and a late wake-up sends no more than the pacer's burst.
 *
 * @module
 */

import { type DatagramSender, type Pacer, wireBytes } from "#multicast";
import type { CarouselPlanner, Outgoing, Traffic } from "./planner.ts";

/** What a transmitter works with. */
export interface TransmitterOptions {
  readonly planner: CarouselPlanner;
  readonly pacer: Pacer;
  readonly socket: DatagramSender;
  /** Takes what is for the announcement group; the same rate holds for both together. */
  readonly announcementSocket?: DatagramSender;
  /** A clock that does not step, in milliseconds. */
  readonly nowMs: () => number;
  /** Called after each packet; `wire` counts UDP and IP headers. */
  readonly onPacket: (traffic: Traffic, wire: number) => void;
  /** Called for each packet that the network refused; it counts as lost on the way. */
  readonly onSendFailed: () => void;
}

/** Between two looks at a planner with nothing due, or a pacer without tokens. */
const tickMs = 2;
/** Packets sent before other work of the event loop gets its turn. */
const turnPackets = 64;

/** Returns the largest burst for a rate: 8 ms of it, within what socket buffers of receivers hold. */
export function burstBytes(bitsPerSecond: number): number {
  return Math.min(96_000, Math.max(15_000, bitsPerSecond / 8 * 0.008));
}

/** The loop from planner to socket. */
export class Transmitter {
  readonly #options: TransmitterOptions;
  #stopping = false;
  #running: Promise<void> | undefined;

  constructor(options: TransmitterOptions) {
    this.#options = options;
  }

  /** Begins to send. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Finishes the packet in hand, then sends no more. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    let held: Outgoing | undefined;
    while (!this.#stopping) {
      held = await this.#turn(held);
      await new Promise((resolve) => setTimeout(resolve, tickMs));
    }
  }

  /** Sends while there is something to send and tokens to send it; returns what lacked the tokens. */
  async #turn(held: Outgoing | undefined): Promise<Outgoing | undefined> {
    const { planner, pacer, nowMs } = this.#options;
    for (let sent = 0; sent < turnPackets && !this.#stopping; sent++) {
      const outgoing = held ?? planner.next(nowMs());
      if (outgoing === undefined) return undefined;
      if (pacer.take(outgoing.packet.length, nowMs()) > 0) return outgoing;
      held = undefined;
      await this.#send(outgoing);
    }
    return held;
  }

  async #send({ packet, traffic, destination, sent }: Outgoing): Promise<void> {
    const { announcementSocket, onPacket, onSendFailed } = this.#options;
    const socket = destination === "announcement" ? announcementSocket : this.#options.socket;
    if (await socket?.send(packet) === "sent") onPacket(traffic, wireBytes(packet.length));
    else onSendFailed();
    sent?.();
  }
}
