/**
 * DVB-NIP (ETSI TS 103 876): the documents by which a receiver with nothing but a dish finds what a
 * satellite carries.
 *
 * @module
 */
export {
  encodeContentGuideManifest,
  encodeNetworkInformationFile,
  encodeServiceInformationFile,
  encodeServiceListEntryPoints,
} from "./encode.ts";
export * from "./model.ts";
export {
  type NipRejection,
  type NipRemark,
  type NipSkipReason,
  parseContentGuideManifest,
  type Parsed,
  parseNetworkInformationFile,
  parseServiceInformationFile,
  parseServiceListEntryPoints,
} from "./parse.ts";
