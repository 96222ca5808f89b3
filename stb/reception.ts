/**
 * The receiving end: one socket for each group and port, its FLUTE receiver, and what is heard of
 * each channel.
 *
 * @module
 */

import { type FdtFile, type FluteEvent, FluteReceiver, type ReceiveOutcome } from "#flute";
import { decodeExtNaci, decodeLctHeader, emptyLctHeader, type ExtNaci } from "#lct";
import type { Datagram, DatagramReceiver, ReceiverOptions } from "#multicast";
import { type Channel, isMulticast, socketId } from "./channels.ts";

/** What reception works with. */
export interface ReceptionOptions {
  /** IPv4 address of the interface to join on. */
  readonly interfaceAddress: string;
  readonly receiveBufferBytes: number;
  /** FEC encoding IDs in use; all that are built in when absent. */
  readonly schemes?: ReadonlySet<number>;
  readonly openReceiver: (options: ReceiverOptions) => Promise<DatagramReceiver>;
  readonly onEvent: (event: FluteEvent, channel: Channel) => void;
  readonly wantFile: (file: FdtFile) => boolean;
  /** A packet of a channel came from `source`; `naci` is its carrier information (DVB-NIP). */
  readonly onPacket?: (channel: Channel, source: string, naci: ExtNaci | undefined) => void;
  /** A channel is received no more. */
  readonly onLeft: (channel: Channel) => void;
  /** What each datagram was good for; `internal_error` stands for a fault of ours. */
  readonly onDatagram: (outcome: ReceiveOutcome | "internal_error") => void;
  /** A socket was opened, could not be, or is narrower than asked: one sentence. */
  readonly onNote: (level: "info" | "warn", sentence: string) => void;
  readonly nowMs: () => number;
}

/** What is heard of a channel. */
export type SignalState = "receiving" | "no_signal" | "cannot_join";

/** A channel as the status shows it. */
export interface ChannelStatus {
  readonly channel: Channel;
  readonly state: SignalState;
  readonly packets: number;
  /** Objects that were whole, by satellite alone or mended. */
  readonly objects: number;
  readonly lastPacketMs: number | undefined;
  readonly lastObjectMs: number | undefined;
}

/** How long a socket that could not be opened is left alone, in milliseconds. */
const retryMs = 5000;
const datagramBytes = 65_536;

interface Tuned {
  readonly channel: Channel;
  packets: number;
  objects: number;
  lastPacketMs: number | undefined;
  lastObjectMs: number | undefined;
}

/** One group and port. */
interface Ear {
  readonly id: string;
  readonly group: string;
  readonly port: number;
  /** By TSI. */
  tuned: Map<number, Tuned>;
  flute: FluteReceiver;
  datagrams: DatagramReceiver | undefined;
  /** When to try again to open the socket; `Infinity` while that is going on. */
  retryAtMs: number;
  closed: boolean;
}

/** Everything that is listened to. */
export class Reception {
  readonly #options: ReceptionOptions;
  readonly #ears = new Map<string, Ear>();
  readonly #header = emptyLctHeader();
  readonly #noted = new Set<string>();

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** Listens to these channels and no others. What is heard already goes on undisturbed. */
  async tune(channels: readonly Channel[]): Promise<void> {
    const bySocket = Map.groupBy(channels, socketId);
    for (const [id, ear] of this.#ears) if (!bySocket.has(id)) this.#close(ear);
    const opening: Promise<void>[] = [];
    for (const [id, wanted] of bySocket) {
      const ear = this.#ears.get(id);
      if (ear !== undefined) this.#retune(ear, wanted);
      else opening.push(this.#open(this.#add(id, wanted)));
    }
    await Promise.all(opening);
  }

  /** Ends reception windows, and tries again what could not be opened. Call it every 20 ms. */
  tick(nowMs: number): void {
    for (const ear of this.#ears.values()) {
      ear.flute.tick(nowMs);
      if (ear.datagrams === undefined && nowMs >= ear.retryAtMs) void this.#open(ear);
    }
  }

  /** Whether a channel was heard within its idle time. */
  isHeard(id: string): boolean {
    const [socket, tsi] = id.split("/");
    const tuned = this.#ears.get(socket)?.tuned.get(Number(tsi));
    return tuned !== undefined && this.#isHeard(tuned);
  }

  /** All channels. */
  get channels(): readonly ChannelStatus[] {
    return [...this.#ears.values()].flatMap((ear) =>
      [...ear.tuned.values()].map((tuned) => ({
        ...tuned,
        state: this.#isHeard(tuned)
          ? "receiving"
          : ear.datagrams === undefined
          ? "cannot_join"
          : "no_signal",
      }))
    );
  }

  /** By which road packets come: `none` before a configuration was read. */
  get road(): "multicast" | "unicast" | "none" {
    const groups = [...this.#ears.values()].map(({ group }) => group);
    if (groups.length === 0) return "none";
    return groups.some(isMulticast) ? "multicast" : "unicast";
  }

  /** Bytes held for objects that are not whole. */
  get heldBytes(): number {
    return [...this.#ears.values()].reduce((sum, { flute }) => sum + flute.heldBytes, 0);
  }

  /** Leaves all groups. */
  close(): void {
    for (const ear of this.#ears.values()) this.#close(ear);
  }

  #isHeard({ channel, lastPacketMs = -Infinity }: Tuned): boolean {
    return this.#options.nowMs() - lastPacketMs < channel.idleTimeoutMs;
  }

  #add(id: string, channels: readonly Channel[]): Ear {
    const [{ group, port }] = channels;
    const tuned = new Map(channels.map((channel) => [channel.tsi, fresh(channel)]));
    const ear: Ear = {
      id,
      group,
      port,
      tuned,
      flute: this.#receiver(() => ear.tuned, channels),
      datagrams: undefined,
      retryAtMs: Infinity,
      closed: false,
    };
    this.#ears.set(id, ear);
    return ear;
  }

  #receiver(
    tuned: () => ReadonlyMap<number, Tuned>,
    channels: readonly Channel[],
  ): FluteReceiver {
    const { onEvent, wantFile, schemes, nowMs } = this.#options;
    const timeouts = channels.flatMap(({ repair }) => repair?.receptionTimeoutMs || []);
    // One receiver serves all channels of the socket: the most patient one decides.
    const patience = timeouts.length === channels.length && timeouts.length > 0
      ? { objectTimeoutMs: Math.max(...timeouts) }
      : {};
    return new FluteReceiver({
      limits: patience,
      schemes,
      wantFile,
      wantTsi(tsi, source) {
        const channel = tuned().get(tsi)?.channel;
        return channel !== undefined && (channel.sourceAddress ?? source) === source;
      },
      onEvent(event) {
        const of = "object" in event ? event.object.tsi : event.tsi;
        const found = tuned().get(of);
        if (found === undefined) return;
        if (event.kind === "complete") {
          found.objects++;
          found.lastObjectMs = nowMs();
        }
        onEvent(event, found.channel);
      },
    });
  }

  #retune(ear: Ear, channels: readonly Channel[]): void {
    const before = ear.tuned;
    ear.tuned = new Map(channels.map((channel) => {
      const known = before.get(channel.tsi);
      return [channel.tsi, known === undefined ? fresh(channel) : { ...known, channel }];
    }));
    for (const [tsi, { channel }] of before) {
      if (!ear.tuned.has(tsi)) this.#options.onLeft(channel);
    }
  }

  async #open(ear: Ear): Promise<void> {
    const { openReceiver, interfaceAddress, receiveBufferBytes, onNote, nowMs } = this.#options;
    ear.retryAtMs = Infinity;
    try {
      const datagrams = await openReceiver({
        group: ear.group,
        port: ear.port,
        interface: interfaceAddress,
        receiveBufferBytes,
      });
      if (ear.closed) return datagrams.close();
      ear.datagrams = datagrams;
      onNote("info", `listening to ${ear.id}`);
      if (datagrams.receiveBufferNote !== undefined) {
        this.#noteOnce("warn", datagrams.receiveBufferNote);
      }
      void this.#listen(ear, datagrams);
    } catch (error) {
      ear.retryAtMs = nowMs() + retryMs;
      this.#noteOnce("warn", error instanceof Error ? error.message : String(error));
    }
  }

  /** Takes datagrams until the socket is closed. Nothing that they hold may end this loop. */
  async #listen(ear: Ear, datagrams: DatagramReceiver): Promise<void> {
    const buffer = new Uint8Array(datagramBytes);
    for (;;) {
      const datagram = await datagrams.receive(buffer);
      if (datagram === undefined) return;
      try {
        this.#options.onDatagram(this.#take(ear, datagram));
      } catch (error) {
        this.#options.onDatagram("internal_error");
        this.#noteOnce("warn", `a datagram met a fault: ${error}`);
      }
    }
  }

  #take(ear: Ear, { bytes, source }: Datagram): ReceiveOutcome {
    const nowMs = this.#options.nowMs();
    const outcome = ear.flute.receive(bytes, source, nowMs);
    const header = decodeLctHeader(bytes, this.#header);
    if (typeof header === "string" || outcome === "not_wanted") return outcome;
    const tuned = header.tsi === undefined ? undefined : ear.tuned.get(header.tsi);
    if (tuned !== undefined) {
      tuned.packets++;
      tuned.lastPacketMs = nowMs;
      const naci = header.naciOffset === 0 ? undefined : decodeExtNaci(bytes, header.naciOffset);
      this.#options.onPacket?.(tuned.channel, source, naci);
    }
    return outcome;
  }

  #close(ear: Ear): void {
    ear.closed = true;
    ear.datagrams?.close();
    this.#ears.delete(ear.id);
    for (const { channel } of ear.tuned.values()) this.#options.onLeft(channel);
  }

  /** Says each sentence once: a fault that stays would fill the log. */
  #noteOnce(level: "info" | "warn", sentence: string): void {
    if (this.#noted.has(sentence) || this.#noted.size > 100) return;
    this.#noted.add(sentence);
    this.#options.onNote(level, sentence);
  }
}

function fresh(channel: Channel): Tuned {
  return {
    channel,
    packets: 0,
    objects: 0,
    lastPacketMs: undefined,
    lastObjectMs: undefined,
  };
}
