/**
 * LCT headers and their extensions (RFC 5651), as ALC uses them (RFC 5775). Pure.
 *
 * @module
 */
export { encodeLctHeader, type LctFields, type LctForm, smallestForm } from "./encode.ts";
export {
  encodeExtension,
  extensionContent,
  extensionTypes,
  type LctExtension,
  listExtensions,
} from "./extensions.ts";
export {
  contentEncodings,
  decodeExtCenc,
  decodeExtFdt,
  encodeExtCenc,
  encodeExtFdt,
  type ExtFdt,
  fdtInstanceIds,
  readFdtInstanceId,
} from "./fdt_extension.ts";
export {
  decodeLctHeader,
  emptyLctHeader,
  type LctHeader,
  type LctRejection,
  normalToi,
  type Toi,
} from "./header.ts";
export { decodeExtNaci, encodeExtNaci, type ExtNaci } from "./naci_extension.ts";
export { fromNtp, type NtpTime, serialDifference, toNtp } from "./ntp.ts";
export { decodeExtTime, encodeExtTime, type ExtTime } from "./time_extension.ts";
