/**
 * A receiver for tests: a real socket, FLUTE out of `#flute`, and a record of what came in which order.
 *
 * @module
 */

import { type FdtFile, FluteReceiver } from "#flute";
import { type CapturedDatagram, type DatagramReceiver, openReceiver } from "#multicast";

/** An object that came whole. */
export interface ReceivedObject {
  readonly tsi: number;
  readonly toi: number | bigint;
  readonly uri: string;
  readonly file: FdtFile;
  readonly bytes: Uint8Array;
}

/** Receives all sessions of one group. */
export class RecordingReceiver {
  /** Objects in the order in which they were whole. */
  readonly objects: ReceivedObject[] = [];
  readonly datagrams: CapturedDatagram[] = [];
  /** Sessions of which an FDT came. */
  readonly fdtTsis = new Set<number>();
  readonly #socket: DatagramReceiver;
  readonly #flute: FluteReceiver;
  readonly #running: Promise<void>;
  #problems: string[] = [];
  /** Of each hundred packets so many are lost on the way, evenly. */
  lossPercent = 0;
  #debt = 0;

  private constructor(socket: DatagramReceiver) {
    this.#socket = socket;
    this.#flute = new FluteReceiver({
      onEvent: (event) => {
        if (event.kind === "fdt") this.fdtTsis.add(event.tsi);
        if (event.kind === "dropped" || event.kind === "refused") {
          this.#problems.push(`${event.kind} ${event.why}`);
        }
        if (event.kind !== "complete") return;
        const { tsi, toi, file, body } = event.object;
        this.objects.push({ tsi, toi, uri: file.contentLocation, file, bytes: body });
      },
    });
    this.#running = this.#receive();
  }

  /** Joins a group on the loopback interface, on any free port. */
  static async open(group: string): Promise<RecordingReceiver> {
    return new RecordingReceiver(await openReceiver({ group, port: 0, interface: "127.0.0.1" }));
  }

  get port(): number {
    return this.#socket.address.port;
  }

  /** What the receiver had to let go of. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** The newest object of a path. */
  find(path: string): ReceivedObject | undefined {
    return this.objects.findLast(({ uri }) => uri === `http://dvb.gw${path}`);
  }

  /** Waits until something holds. Fails with `what` after ten seconds. */
  async until(what: string, holds: () => boolean): Promise<void> {
    for (const lastMs = performance.now() + 10_000; !holds();) {
      if (performance.now() > lastMs) throw new Error(`Cannot go on: need ${what}: received none`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.#running;
  }

  async #receive(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    const to = this.#socket.address;
    for (let got; (got = await this.#socket.receive(buffer));) {
      const payload = got.bytes.slice();
      const from = { host: got.source, port: 40_000 };
      this.datagrams.push({ timeMs: Date.now(), from, to, payload });
      if (!this.#isLost()) this.#flute.receive(payload, got.source, Date.now());
      this.#flute.tick(Date.now());
    }
  }

  #isLost(): boolean {
    this.#debt += this.lossPercent;
    if (this.#debt < 100) return false;
    this.#debt -= 100;
    return true;
  }
}
