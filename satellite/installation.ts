/**
 * The file of `--nip`: which network and carrier the uplink feeds, and what is in its carousel. Pure.
 *
 * @module
 */

import * as v from "valibot";
import { BadValue } from "#config";
import { canonicalTarget } from "#http";
import type { NipStreamIdentity } from "#nip";
import type { PlannedFile } from "./file_carousel.ts";

const text = (most: number) =>
  v.pipe(
    v.string(),
    v.nonEmpty("some text"),
    v.maxLength(most, `at most ${most} characters`),
    v.check((value) => value.isWellFormed() && !/\p{Cc}/u.test(value), "text without controls"),
  );
const whole = (least: number, most: number) => {
  const need = `a whole number from ${least} to ${most}`;
  return v.pipe(v.number(), v.integer(need), v.minValue(least, need), v.maxValue(most, need));
};
const within = (least: number, most: number) => {
  const need = `a number from ${least} to ${most}`;
  return v.pipe(v.number(), v.minValue(least, need), v.maxValue(most, need));
};
/** A number of at most so many decimals: the documents count in steps of that size. */
const inSteps = (least: number, most: number, perUnit: number) =>
  v.pipe(
    within(least, most),
    v.check((value) => isWhole(value * perUnit), `a multiple of ${1 / perUnit}`),
  );
const path = v.pipe(
  v.string(),
  v.check(
    (value) => value.startsWith("/") && canonicalTarget(value) !== undefined,
    "a path that begins with /",
  ),
);

const itemSchema = v.strictObject({
  /** Only `epg` and `metadata` are encoded: video is compressed already, and is mended by range. */
  type: v.picklist(["video", "epg", "metadata"]),
  path,
  /** 0 is carried first, 9 goes first when the rate is short. */
  priority: v.optional(whole(0, 9), 5),
  popularity: v.optional(within(0.001, 1e9), 1),
  /** How long receivers may use it after they got it. */
  expirySeconds: v.optional(whole(1, 10 * 365 * 86_400)),
});

const schema = v.strictObject({
  language: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z]{2,3}$/, "a language code")), "en"),
  /** ISO 3166 in three letters. */
  countries: v.optional(
    v.array(v.pipe(v.string(), v.regex(/^[A-Z]{3}$/, "a country of three letters"))),
    [],
  ),
  network: v.strictObject({ id: whole(1, 65_280), name: text(64), provider: text(64) }),
  stream: v.strictObject({
    /** Of this stream; that of the network when absent. */
    provider: v.optional(text(64)),
    carrierId: whole(0, 65_535),
    linkId: whole(0, 65_535),
    /** With `TS` the service_id of the MPE service, with GSE 0. */
    serviceId: whole(0, 65_535),
    linkLayerFormat: v.picklist(["TS", "GSE", "GSE-Lite"]),
  }),
  carrier: v.strictObject({
    /** East is positive. */
    orbitalPositionDegrees: v.optional(within(-180, 180)),
    frequencyMhz: inSteps(1, 100_000, 100),
    polarization: v.picklist(["horizontal", "vertical", "left circular", "right circular"]),
    symbolRateMbaud: inSteps(0.001, 1000, 1000),
    modulation: v.picklist(["QPSK", "8PSK", "16APSK", "32APSK"]),
    fec: v.pipe(v.string(), v.regex(/^\d{1,2}\/\d{1,2}$/, "a code rate such as 3/4")),
    rollOff: v.picklist(["0.35", "0.25", "0.20"]),
  }),
  carousel: v.optional(
    v.strictObject({
      cycleSeconds: v.optional(whole(1, 24 * 86_400), 3600),
      contentEncoding: v.optional(v.picklist(["none", "gzip"]), "none"),
      items: v.optional(v.pipe(v.array(itemSchema), v.maxLength(1000, "at most 1000")), []),
    }),
    {},
  ),
});

/** What the file says. */
export type Installation = v.InferOutput<typeof schema>;

/**
 * Reads the file.
 *
 * @param text Its content, JSON.
 * @param file Its name, for the sentence.
 * @throws {BadValue} One sentence.
 */
export function readInstallation(text: string, file: string): Installation {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(`Cannot use --nip: need a JSON file: received ${file} (${reason})`);
  }
  const reading = v.safeParse(schema, value, { abortEarly: true });
  if (reading.success) return reading.output;
  const [issue] = reading.issues;
  const where = v.getDotPath(issue) ?? "an object";
  const asked = issue.expected === "never" ? "no such key" : issue.expected ?? "nothing";
  const need = issue.kind === "validation" ? issue.message : asked;
  const received = issue.received.slice(0, 80);
  throw new BadValue(`Cannot use --nip: need ${need} as ${where} in ${file}: received ${received}`);
}

/** Which stream receivers of this installation are on. */
export function streamIdentity({ network, stream }: Installation): NipStreamIdentity {
  return {
    nipNetworkId: network.id,
    nipCarrierId: stream.carrierId,
    nipLinkId: stream.linkId,
    nipServiceId: stream.serviceId,
  };
}

/** The items of the carousel. */
export function filesOfInstallation({ carousel }: Installation): PlannedFile[] {
  const { cycleSeconds, contentEncoding, items } = carousel;
  return items.map(({ type, path, priority, popularity, expirySeconds }) => ({
    key: canonicalTarget(path)!,
    priority,
    popularity,
    acquisitionMs: cycleSeconds * 1000,
    maxAgeSeconds: expirySeconds,
    contentEncoding: contentEncoding === "gzip" && type !== "video" ? "gzip" : undefined,
  }));
}

function isWhole(value: number): boolean {
  return Math.abs(value - Math.round(value)) < 1e-6;
}
