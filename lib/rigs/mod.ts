/**
 * Real servers that tests and benchmarks start, on free ports and in folders of their own.
 *
 * @module
 */
export { growthOf } from "./growth.ts";
export { fetchKafka, kafkaVersion } from "./kafka_jars.ts";
export { type BrokerKind, brokerKind, brokerName, type KafkaRig, startKafka } from "./kafka.ts";
export {
  buildFlutePeer,
  flutePeerVersion,
  hasFlutePeer,
  type PeerCoding,
  peerPackets,
  peerReceives,
} from "./flute_peer.ts";
export {
  configureStore,
  freePort,
  missingFor,
  type RunningStore,
  startStore,
  type StoreKind,
  type StoreSettings,
} from "./store_server.ts";
export { missingForS3, type S3Server, startS3 } from "./s3_server.ts";
export { s3Uploader, type UploadAnswer, type UploadOptions } from "./s3_uploader.ts";
