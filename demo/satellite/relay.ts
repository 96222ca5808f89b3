/**
 * The way through the demo's satellite: datagrams come up by unicast and go down to the group, all
 * but those that are lost.
 *
 * @module
 */

import type { DatagramReceiver, DatagramSender } from "#multicast";
import type { PacketLoss } from "./loss.ts";

/** The largest UDP payload over IPv4. */
const maxPayloadBytes = 65_507;

/** What went through so far. */
export interface RelayCounters {
  /** Packets sent down, and their bytes. */
  relayed: number;
  relayedBytes: number;
  /** Packets lost on purpose. */
  dropped: number;
  /** Packets that the system refused to send. */
  failed: number;
}

/** Relays until the receiver is closed. */
export async function relay(
  up: DatagramReceiver,
  down: DatagramSender,
  loss: PacketLoss,
  counters: RelayCounters,
): Promise<void> {
  const buffer = new Uint8Array(maxPayloadBytes);
  for (;;) {
    const datagram = await up.receive(buffer);
    if (!datagram) return;
    if (loss.loses()) {
      counters.dropped++;
    } else if (await down.send(datagram.bytes) === "sent") {
      counters.relayed++;
      counters.relayedBytes += datagram.bytes.length;
    } else {
      counters.failed++;
    }
  }
}
