/**
 * ATS or Varnish in the same pod as the home of stored responses.
 *
 * @module
 */
export { EagerRemoval, type EagerRemovalOptions, type PurgeFact } from "./eager_removal.ts";
export { Handover } from "./handover.ts";
export {
  type KeptPlace,
  type KeptResult,
  newEpoch,
  PodStore,
  type PodStoreOptions,
} from "./pod_store.ts";
export {
  type StoreExchange,
  StoreLink,
  type StoreLinkOptions,
  type StoreResult,
} from "./store_link.ts";
export { openUpstreamPort } from "./upstream_port.ts";
