/**
 * Where the limits of a cache node come from: a file when it runs alone, control's snapshot when that
 * declares any.
 *
 * @module
 */

import { Admission } from "#bucket";
import { BadValue, optional, type Parameter, path, type Settings, text } from "#config";
import { isFieldName } from "#http";
import type { Metrics } from "#metrics";
import { type DeclaredBuckets, readBuckets, type TopologySnapshot } from "#topology";
import { Gate } from "./gate.ts";
import type { Peers } from "./peers.ts";

/** The rows of the parameter table. */
export function limitParameters() {
  return {
    buckets: optional(
      path(
        undefined,
        "JSON file with limits ({policies}), in force while control's topology declares none.",
        "FILE",
      ),
    ),
    clientField: optional(clientField()),
  };
}

function clientField(): Parameter<string> {
  const help = "Field in which a front proxy of ours (--peers) names its client, such as " +
    "x-forwarded-for; its last address counts.";
  const read = (value: string) => {
    if (isFieldName(value)) return value.toLowerCase();
    throw new BadValue(`need a field name: received ${value}`);
  };
  return { ...text(undefined, help, "FIELD"), read };
}

/** The limits of a running node. */
export interface Limits {
  readonly gate: Gate;
  /** Takes over what a snapshot declares. */
  follow(snapshot: TopologySnapshot): void;
}

/**
 * Puts the limits of a node in force.
 *
 * @throws {BadValue} When the file cannot be used.
 */
export function openLimits(
  tier: "edge" | "shield",
  { buckets, clientField }: Settings<ReturnType<typeof limitParameters>>,
  { peers, metrics }: { readonly peers: Peers; readonly metrics: Metrics },
): Limits {
  const own = buckets === undefined ? [] : readFile(buckets).policies;
  const admission = new Admission({ tier });
  admission.replace(own);
  const steadyMs = () => performance.now();
  watch(tier, admission, metrics);
  const gate = new Gate({ admission, peers, clientField, steadyMs, random: Math.random });
  const follow = ({ buckets: { policies } = { policies: [] } }: TopologySnapshot) =>
    admission.replace(policies.length > 0 ? policies : own);
  return { gate, follow };
}

function readFile(file: string): DeclaredBuckets {
  let value: unknown;
  try {
    value = JSON.parse(Deno.readTextFileSync(file));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(`Cannot use --buckets: need a readable JSON file: received ${reason}`);
  }
  const reading = readBuckets(value);
  if (reading.kind === "buckets") return reading.buckets;
  throw new BadValue(`Cannot use --buckets: ${reading.problem} in ${file}`);
}

/** Shows what was decided. The decisions themselves count in plain numbers. */
function watch(tier: string, admission: Admission, metrics: Metrics): void {
  const counts = () => admission.counts(Math.floor(performance.now() * 1000));
  metrics.counter(
    `${tier}_ratelimit_decisions_total`,
    "Requests by the limit that they came under and what it decided.",
    ["policy", "decision"],
    (counter) => {
      for (const { name, allowed, refused } of counts()) {
        counter.inc({ policy: name, decision: "allowed" }, allowed);
        counter.inc({ policy: name, decision: "refused" }, refused);
      }
    },
  );
  metrics.gauge(
    `${tier}_ratelimit_subjects`,
    "Clients, tokens or classes with less than a full bucket, by limit.",
    ["policy"],
    (gauge) => {
      gauge.reset();
      for (const { name, subjects } of counts()) gauge.set({ policy: name }, subjects);
    },
  );
}
