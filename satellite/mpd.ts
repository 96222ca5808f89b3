/**
 * What a headend needs of a DASH manifest (ISO/IEC 23009-1): which segments it names, so that it does
 * not reach receivers before them, and which of its Representations a stream of segments is.
 *
 * @module
 */

import {
  childrenNamed,
  firstNamed,
  parseUnsigned,
  readXml,
  type XmlElement,
  type XmlRejection,
} from "#xml";
import { keyOf, resolve } from "./object_key.ts";

/** One Representation of one Period. */
export interface Representation {
  readonly periodId: string;
  readonly adaptationSetId: string;
  readonly representationId: string;
  /**
   * Key of the newest segment that the manifest names; `undefined` when it names none and players
   * work out by their clock which there are.
   */
  readonly newestKey: string | undefined;
  /** Whether a key can be one of its media segments. */
  holds(key: string): boolean;
}

/** Why a manifest was refused. */
export type MpdRejection = XmlRejection | "wrong_root";

const limits = { maxLength: 2 ** 20, maxDepth: 32 };
/** Representations that are looked at; more are of no use to one carousel. */
const maxRepresentations = 256;

/**
 * Reads the Representations of a manifest. Never throws.
 *
 * @param url Where the manifest is, as the service list names it.
 */
export function readMpd(
  document: string | Uint8Array,
  url: URL,
): readonly Representation[] | MpdRejection {
  const root = readXml(document, limits);
  if (typeof root === "string") return root;
  if (root.name !== "MPD") return "wrong_root";
  const representations: Representation[] = [];
  const base = baseOf(root, url);
  for (const [at, period] of childrenNamed(root, "Period").entries()) {
    for (const set of childrenNamed(period, "AdaptationSet")) {
      for (const element of childrenNamed(set, "Representation")) {
        if (representations.length === maxRepresentations) return representations;
        representations.push(representation([period, set, element], base, at));
      }
    }
  }
  return representations;
}

/** A Period, an AdaptationSet in it, a Representation in that. */
type Path = readonly [period: XmlElement, set: XmlElement, representation: XmlElement];

function representation(path: Path, mpdBase: URL, periodAt: number): Representation {
  const [period, set, element] = path;
  const base = path.reduce((outer, inner) => baseOf(inner, outer), mpdBase);
  const identifiers = {
    RepresentationID: element.attributes.get("id") ?? "",
    Bandwidth: element.attributes.get("bandwidth") ?? "",
  };
  const addressing = segmentTemplate(path, identifiers) ?? segmentList(path);
  const keyFor = (reference: string | undefined) => {
    const resolved = reference === undefined ? undefined : resolve(reference, base);
    return resolved && keyOf(resolved);
  };
  const pattern = addressing?.media === undefined ? undefined : keyPattern(addressing.media, base);
  return {
    periodId: period.attributes.get("id") ?? String(periodAt),
    adaptationSetId: set.attributes.get("id") ?? "",
    representationId: identifiers.RepresentationID,
    newestKey: keyFor(addressing?.newest),
    holds: (key) =>
      addressing?.keys?.some((one) => keyFor(one) === key) ?? pattern?.test(key) ?? false,
  };
}

/** How segments are named. References are relative to the base URL. */
interface Addressing {
  /** Template with `$Number$` or `$Time$` left in. */
  readonly media?: string;
  readonly keys?: readonly string[];
  readonly newest?: string;
}

function segmentTemplate(
  path: Path,
  identifiers: Readonly<Record<string, string>>,
): Addressing | undefined {
  const templates = path.flatMap((element) => firstNamed(element, "SegmentTemplate") ?? []);
  const attribute = (name: string) =>
    templates.findLast(({ attributes }) => attributes.has(name))?.attributes.get(name);
  const media = attribute("media");
  if (media === undefined) return undefined;
  const timelines = templates.flatMap((template) => firstNamed(template, "SegmentTimeline") ?? []);
  const last = lastOfTimeline(timelines.at(-1), parseUnsigned(attribute("startNumber")) ?? 1);
  const named = fill(media, identifiers);
  const newest = last && fill(named, { Number: String(last.number), Time: String(last.time) });
  return { media: named, newest };
}

function segmentList(path: Path): Addressing | undefined {
  const list = path.flatMap((element) => firstNamed(element, "SegmentList") ?? []).at(-1);
  if (list === undefined) return undefined;
  const keys = childrenNamed(list, "SegmentURL").flatMap((one) =>
    one.attributes.get("media") ?? []
  );
  return { keys, newest: keys.at(-1) };
}

/** Number and start time of the last segment of a timeline (section 5.3.9.6). */
function lastOfTimeline(
  timeline: XmlElement | undefined,
  startNumber: number,
): { number: number; time: number } | undefined {
  let number = startNumber - 1;
  let time = 0;
  let lastTime = 0;
  for (const { attributes } of timeline ? childrenNamed(timeline, "S") : []) {
    const duration = parseUnsigned(attributes.get("d"));
    const repeat = attributes.get("r")?.trim() === "-1" ? undefined : attributes.get("r") ?? "0";
    const repeats = repeat === undefined ? undefined : parseUnsigned(repeat);
    if (duration === undefined || repeats === undefined) return undefined; // open end, or malformed
    time = parseUnsigned(attributes.get("t")) ?? time;
    lastTime = time + duration * repeats;
    time = lastTime + duration;
    number += repeats + 1;
  }
  return number < startNumber ? undefined : { number, time: lastTime };
}

/** Replaces the identifiers that have a value; `%0<n>d` pads with zeros (section 5.3.9.4.4). */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\$(\w+)(?:%0(\d{1,2})d)?\$/g, (whole, name: string, width = "0") => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    return value?.padStart(Number(width), "0") ?? whole;
  });
}

/** A pattern that the keys of a template match. */
function keyPattern(media: string, base: URL): RegExp | undefined {
  // Digits survive every step from reference to key, dollar signs need not.
  const mark = "79003141592653";
  const marked = resolve(media.replace(/\$(?:Number|Time)(?:%0\d{1,2}d)?\$/g, mark), base);
  const key = marked && keyOf(marked);
  return key === undefined
    ? undefined
    : new RegExp(`^${key.split(mark).map((part) => RegExp.escape(part)).join("\\d+")}$`);
}

function baseOf(element: XmlElement, outer: URL): URL {
  const reference = firstNamed(element, "BaseURL")?.text;
  return (reference ? resolve(reference, outer) : undefined) ?? outer;
}
