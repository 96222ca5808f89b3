/**
 * UDP datagrams to and from multicast groups (or plain unicast where multicast is forbidden), and pacing.
 *
 * @module
 */
export {
  type Datagram,
  type DatagramReceiver,
  openReceiver,
  type ReceiverOptions,
} from "./receiver.ts";
export { type DatagramSender, openSender, type SenderOptions } from "./sender.ts";
export { probeMulticast } from "./probe.ts";
export { Pacer, wireBytes } from "./pacer.ts";
