/**
 * Topology: numbered snapshots, who keeps which key, and the link of a node to control.
 *
 * @module
 */
export {
  type BucketsReading,
  bucketsSchema,
  type DeclaredBuckets,
  readBuckets,
} from "./bucket_policy.ts";
export {
  type CarouselFile,
  carouselSchema,
  type DeclaredTopology,
  declaredTopologySchema,
  type DeliveryService,
  nothingDeclared,
} from "./declared.ts";
export {
  type CacheNode,
  type NodeRecord,
  nodeRecordSchema,
  type NodeRole,
  nodeRoles,
  parseSnapshot,
  type TopologySnapshot,
  topologySnapshotSchema,
} from "./snapshot.ts";
export {
  type BoxFigures,
  boxFiguresSchema,
  boxReportSchema,
  type NodeFigures,
  nodeFiguresSchema,
  type NodeReport,
  nodeReportSchema,
} from "./report.ts";
export { NetworkTable, parseNetwork } from "./network.ts";
export { regionOfGroup, serviceOf } from "./lookup.ts";
export { availableFirst, type HopQuestion, parentCaches } from "./next_hops.ts";
export { type EdgeQuestion, edgesFor, edgeTiers } from "./edges_for.ts";
export { rendezvous, type Weighted } from "./rendezvous.ts";
export { SnapshotFile, type SnapshotFound } from "./snapshot_file.ts";
export { ControlLink } from "./control_link.ts";
export type { ControlLinkOptions, LinkFault, LinkState } from "./control_link_types.ts";
