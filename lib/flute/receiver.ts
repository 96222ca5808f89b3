import type { FdtFile } from "./fdt.ts";
import type { FluteEvent, ReceiveOutcome } from "./events.ts";
import type { FluteLimits } from "./limits.ts";

export interface FluteReceiverOptions {
  readonly limits?: Partial<FluteLimits>;
  readonly onEvent: (event: FluteEvent) => void;
  /** Sessions to receive; all when absent. Asked once a session. */
  readonly wantTsi?: (tsi: number, source: string) => boolean;
  /** Files to collect; all when absent. Asked once for each file that an FDT binds to a TOI. */
  readonly wantFile?: (file: FdtFile, tsi: number) => boolean;
}

export declare class FluteReceiver {
  constructor(options: FluteReceiverOptions);
  receive(packet: Uint8Array, source: string, nowMs: number): ReceiveOutcome;
  /** Call it about every 20 ms. */
  tick(nowMs: number): void;
  /** Datagrams by outcome since the start. */
  readonly counters: Readonly<Record<ReceiveOutcome, number>>;
  /** Bytes now held for incomplete objects and early packets. */
  readonly heldBytes: number;
  readonly sessions: number;
}
