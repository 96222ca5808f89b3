/**
 * Where the limits of a cache node come from: a file when it runs alone, control's snapshot when that
 * declares any; and the Redis through which nodes hold them together.
 *
 * @module
 */

import { Admission, type BucketPolicy, LeaseLink, type RedisPlace } from "#bucket";
import { BadValue, optional, type Parameter, path, type Settings, text, url } from "#config";
import { isFieldName } from "#http";
import type { Logger } from "#log";
import type { Metrics } from "#metrics";
import { readPem } from "#program";
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
    redis: optional(redisUrl()),
    redisUser: optional(text(undefined, "User at Redis; its default user without.", "NAME")),
    redisPasswordFile: optional(
      path(undefined, "File with the password at Redis; read once, at the start.", "FILE"),
    ),
    redisCa: optional(
      path(
        undefined,
        "PEM certificates that a rediss Redis must be signed by; default: the public ones.",
        "FILE",
      ),
    ),
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

function redisUrl(): Parameter<URL> {
  const help = "Redis or DragonflyDB through which nodes hold the shared limits together: " +
    "redis://HOST[:PORT][/DB], or rediss:// for TLS.";
  const plain = url(undefined, help, ["redis", "rediss"]);
  const read = (value: string) => {
    // It may hold a password, which belongs in a file: what was received is not repeated.
    if (/^rediss?:\/\/[^/]*@/.test(value)) {
      throw new BadValue("need a URL without user and password, see --redis-password-file");
    }
    const parsed = plain.read(value);
    if (parsed.hostname !== "" && /^\/?\d{0,3}$/.test(parsed.pathname)) return parsed;
    throw new BadValue(`need redis://HOST[:PORT][/DB]: received ${value}`);
  };
  return { ...plain, read };
}

/** The limits of a running node. */
export interface Limits {
  readonly gate: Gate;
  /** Takes over what a snapshot declares. */
  follow(snapshot: TopologySnapshot): void;
  /** Requests refused since the start, by limit in force. */
  refusals(): Record<string, number>;
}

/** What the limits of a node are made of. */
export interface LimitsOptions {
  readonly node: string;
  readonly peers: Peers;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly onDrain: (step: () => void) => void;
}

type LimitSettings = Settings<ReturnType<typeof limitParameters>>;

/**
 * Puts the limits of a node in force.
 *
 * @throws {BadValue} When a file cannot be used.
 */
export async function openLimits(
  tier: "edge" | "shield",
  settings: LimitSettings,
  options: LimitsOptions,
): Promise<Limits> {
  const { buckets, clientField } = settings;
  const { peers, metrics, log, onDrain } = options;
  const own = buckets === undefined ? [] : readFile(buckets).policies;
  let nodes = 1;
  const link = await openLeases(tier, settings, { ...options, nodes: () => nodes });
  if (link !== undefined) onDrain(() => link.close());
  const admission = new Admission({ tier, share: link && ((policy) => link.buckets(policy)) });
  const enforce = (policies: readonly BucketPolicy[]) => {
    admission.replace(policies);
    link?.keep(policies);
    const alone = link === undefined ? policies.filter(({ shared }) => shared) : [];
    if (alone.length > 0) {
      const names = alone.map(({ name }) => name).join(" ");
      log.warn("shared limits hold for this node alone: no --redis", { policies: names });
    }
  };
  enforce(own);
  watch(tier, admission, metrics);
  const steadyMs = () => performance.now();
  const gate = new Gate({ admission, peers, clientField, steadyMs, random: Math.random });
  const follow = ({ buckets, edges, shields }: TopologySnapshot) => {
    nodes = Math.max(1, tier === "edge" ? edges.length : shields.length);
    const { policies } = buckets ?? { policies: [] };
    enforce(policies.length > 0 ? policies : own);
  };
  const refusals = () =>
    Object.fromEntries(admission.counts().map(({ name, refused }) => [name, refused]));
  return { gate, follow, refusals };
}

async function openLeases(
  tier: string,
  settings: LimitSettings,
  { node, nodes, metrics, log }: LimitsOptions & { readonly nodes: () => number },
): Promise<LeaseLink | undefined> {
  if (settings.redis === undefined) return undefined;
  const place = placeOf(settings, settings.redis);
  const leases = metrics.counter(
    `${tier}_ratelimit_leases_total`,
    "Leases of tokens asked of Redis, by how much of it was granted.",
    ["result"],
  );
  const seconds = metrics.histogram(
    `${tier}_ratelimit_lease_seconds`,
    "Time until a lease was answered. No request waits for it.",
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25],
  );
  const faults = metrics.counter(`${tier}_redis_faults_total`, "Faults with Redis, by kind.", [
    "fault",
  ]);
  const degraded = metrics.gauge(
    `${tier}_ratelimit_degraded`,
    "1 while Redis gives no leases and this node goes on with its last part of the shared limits.",
  );
  degraded.set(1);
  let said: string | undefined;
  return await LeaseLink.open({
    place,
    node,
    nodes,
    steadyMs: () => performance.now(),
    onState: (state) => {
      degraded.set(state === "leasing" ? 0 : 1);
      if (state === "leasing") said = undefined;
      log.info("shared limits", { state });
    },
    onFault: (fault, detail) => {
      faults.inc({ fault });
      if (fault !== said) log.warn("redis gives no leases", { fault, detail });
      said = fault;
    },
    onLease: (result, tookUs) => {
      leases.inc({ result });
      seconds.observe(tookUs / 1e6);
    },
  });
}

function placeOf({ redisUser, redisPasswordFile, redisCa }: LimitSettings, url: URL): RedisPlace {
  return {
    url,
    username: redisUser,
    password: redisPasswordFile === undefined ? undefined : readPassword(redisPasswordFile),
    ca: redisCa === undefined ? undefined : readPem("--redis-ca", redisCa),
  };
}

function readPassword(file: string): string {
  let password: string;
  try {
    password = Deno.readTextFileSync(file).trim();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(
      `Cannot use --redis-password-file: need a readable file: received ${reason}`,
    );
  }
  if (password !== "") return password;
  throw new BadValue(`Cannot use --redis-password-file: need a password: received none in ${file}`);
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
  metrics.counter(
    `${tier}_ratelimit_decisions_total`,
    "Requests by the limit that they came under and what it decided.",
    ["policy", "decision"],
    (counter) => {
      for (const { name, allowed, refused } of admission.counts()) {
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
      const nowUs = Math.floor(performance.now() * 1000);
      for (const { name, buckets } of admission.counts()) {
        gauge.set({ policy: name }, buckets.count(nowUs));
      }
    },
  );
}
