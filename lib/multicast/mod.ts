/**
 * UDP datagrams to and from multicast groups (or one host, where multicast is forbidden), and
 * sending at a rate.
 *
 * @module
 */
export { isMulticast, type UdpAddress } from "./address.ts";
export {
  type CapturedDatagram,
  type CaptureRejection,
  readCapture,
  writeCapture,
} from "./capture.ts";
export { Pacer, type PacerOptions, wireBytes } from "./pacer.ts";
export { probeMulticast } from "./probe.ts";
export {
  type Datagram,
  type DatagramReceiver,
  openReceiver,
  type ReceiverOptions,
} from "./receiver.ts";
export { type DatagramSender, openSender, type SenderOptions, type SendOutcome } from "./sender.ts";
