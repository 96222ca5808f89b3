/**
 * XML documents as small trees: read from strangers within bounds, written with everything escaped.
 *
 * @module
 */
export {
  childrenNamed,
  firstNamed,
  parseUnsigned,
  readXml,
  type XmlElement,
  type XmlLimits,
  type XmlRejection,
} from "./reader.ts";
export { node, writeXml, type XmlNode } from "./writer.ts";
