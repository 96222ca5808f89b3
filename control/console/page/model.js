/**
 * What the console works out from control's answers: rates, shares, the graph of the topology, and
 * their wording. Pure.
 *
 * @module
 */

/** The roads into a home, cheapest first. */
export const homeRoads = ["satellite", "repair", "internet"];

/** Where a cache's bytes came from, cheapest first. */
export const cacheRoads = ["memory", "disk", "fill", "next_hop"];

/** Running totals over the last minutes, from which come curves of rates. */
export class SeriesBook {
  #stepMs = 5000;
  #samples = 60;
  #series = new Map();

  /** Takes over what control has kept. */
  load({ stepMs, series }) {
    this.#stepMs = stepMs;
    this.#series = new Map(
      Object.entries(series).map(([id, { atMs, totals }]) => [
        id,
        atMs.map((ms, i) => ({ atMs: ms, totals: totals[i] })),
      ]),
    );
  }

  /** Notes totals of a moment; they replace the last as long as its step was not over. */
  push(id, totals, atMs) {
    const samples = this.#series.get(id) ?? [];
    this.#series.set(id, samples);
    if (samples.length > 1 && !this.#isOver(samples)) samples.pop();
    samples.push({ atMs, totals });
    while (samples.length > this.#samples) samples.shift();
  }

  /**
   * Growth a second of one count, from sample to sample; what fell began anew.
   *
   * @param {string} id
   * @param {string} name
   * @returns {number[]}
   */
  rates(id, name) {
    const all = this.#series.get(id) ?? [];
    const samples = this.#isOver(all) ? all : all.slice(0, -1);
    return samples.slice(1).map(({ atMs, totals }, i) => {
      const grown = (totals[name] ?? 0) - (samples[i].totals[name] ?? 0);
      const seconds = (atMs - samples[i].atMs) / 1000;
      return grown <= 0 || seconds <= 0 ? 0 : grown / seconds;
    });
  }

  /** Whether the newest sample is about a step after the one before. */
  #isOver(samples) {
    const [before, last] = samples.slice(-2);
    return last !== undefined && last.atMs - before.atMs >= this.#stepMs * 0.9;
  }

  /** The sum of the rates of several, from the end backwards. */
  sum(ids, name) {
    const all = ids.map((id) => this.rates(id, name)).filter((rates) => rates.length > 0);
    const length = Math.max(0, ...all.map((rates) => rates.length));
    return Array.from({ length }, (_, i) => {
      const back = length - i;
      return all.reduce((total, rates) => total + (rates.at(-back) ?? 0), 0);
    });
  }
}

/**
 * The curve of some values as an SVG path in a box; the lowest value is 0.
 *
 * @param {readonly number[]} values
 * @param {number} width
 * @param {number} height
 */
export function curve(values, width, height) {
  if (values.length < 2) return { line: "", area: "" };
  const most = Math.max(...values, 1e-9);
  const points = values.map((value, i) => {
    const x = (i / (values.length - 1)) * width;
    const y = height - 1 - (value / most) * (height - 2);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  const line = `M${points.join("L")}`;
  return { line, area: `${line}L${width} ${height}L0 ${height}Z` };
}

/**
 * The share of each road, in their order; others stand last as `other`.
 *
 * @param {Record<string, number>} bytes
 * @param {readonly string[]} roads
 */
export function roadShares(bytes, roads) {
  const total = Object.values(bytes).reduce((sum, count) => sum + count, 0);
  const known = roads.map((road) => ({ road, bytes: bytes[road] ?? 0 }));
  const rest = total - known.reduce((sum, { bytes }) => sum + bytes, 0);
  return [...known, { road: "other", bytes: rest }]
    .filter(({ bytes }) => bytes > 0)
    .map(({ road, bytes }) => ({ road, bytes, share: bytes / total }));
}

/**
 * The sign and the words of a node's health.
 *
 * @param {{ available: boolean, reason?: string, state?: string, status?: string, statusReason?: string }} node
 */
export function healthOf({ available, reason, state, status, statusReason }) {
  const why = statusReason ? `: ${statusReason}` : "";
  if (reason === "admin_down") return { sign: "off", words: `drained${why}` };
  if (reason === "offline") return { sign: "off", words: `offline${why}` };
  if (reason === "missed_heartbeats") return { sign: "late", words: "silent" };
  if (!available) return { sign: "bad", words: reasonWords[reason] ?? String(reason) };
  if (state === "late") return { sign: "late", words: "late" };
  return { sign: "good", words: status === "ONLINE" ? "forced available" : "available" };
}

const reasonWords = { error_ratio: "too many errors", load: "overloaded" };

/** A word for what is wrong, where there is no room for more. */
export function shortHealth(node) {
  const words = {
    admin_down: "drained",
    offline: "offline",
    missed_heartbeats: "silent",
    error_ratio: "errors",
    load: "load",
  };
  return node.available ? "late" : words[node.reason] ?? "failing";
}

/** Compares names as people do: `edge-2` before `edge-10`. */
export function byName(a, b) {
  return a.localeCompare(b, "en", { numeric: true });
}

/** The gravest sign of some nodes. */
export function worstSign(signs) {
  return ["bad", "late", "off", "good"].find((sign) => signs.includes(sign)) ?? "good";
}

/**
 * The topology as tiers of groups and links between groups.
 *
 * @returns {{ tiers: Tier[], links: Link[] }}
 * @typedef {{ id: string, title: string, note: string, nodes: any[], region?: object }} Group
 * @typedef {{ id: string, title: string, groups: Group[] }} Tier
 * @typedef {{ from: string, to: string, kind: "primary" | "secondary" | "fallback" | "satellite" | "home" }} Link
 */
export function topologyGraph(topology, nodes, regions) {
  const siteRegion = new Map(topology.sites.map(({ id, region }) => [id, region]));
  const regionOf = ({ region, site }) => region ?? siteRegion.get(site);
  const shields = groupsOf("shield", topology, nodes, regionOf);
  const edges = groupsOf("edge", topology, nodes, regionOf);
  const headends = groupsOf("headend", topology, nodes, regionOf);
  const homes = regions.map((region) => ({
    id: `home:${region.id}`,
    title: region.id,
    note: "",
    nodes: [],
    region,
  }));
  const origins = [
    ...new Set((topology.deliveryServices ?? []).flatMap(({ origin }) => origin ?? [])),
  ];
  const origin = {
    id: "origin",
    title: "Origin",
    note: origins.length === 0 ? "from flags" : origins.map(hostOf).join(", "),
    nodes: [],
  };
  const links = [
    ...shields.map(({ id }) => ({ from: id, to: "origin", kind: "primary" })),
    ...edges.flatMap((group) => parentLinks(group, shields)),
    ...headends.flatMap(({ id }) =>
      shields.map((to) => ({ from: id, to: to.id, kind: "primary" }))
    ),
    ...homes.flatMap((home) => homeLinks(home, edges)),
    ...homes.flatMap(({ id }) =>
      headends.map((to) => ({ from: id, to: to.id, kind: "satellite" }))
    ),
  ];
  const tiers = [
    { id: "origin", title: "Origin", groups: [origin] },
    { id: "shield", title: "Shields", groups: shields },
    { id: "edge", title: "Edges and headends", groups: [...edges, ...headends] },
    { id: "home", title: "Homes", groups: homes },
  ];
  return { tiers: tiers.filter(({ groups }) => groups.length > 0), links };
}

function hostOf(url) {
  return URL.canParse(url) ? new URL(url).host : url;
}

/** Groups of one tier: the declared ones, and one for nodes without a group. */
function groupsOf(tier, { cacheGroups }, nodes, regionOf) {
  const own = nodes.filter(({ role }) => role === tier).sort((a, b) => byName(a.id, b.id));
  const declared = cacheGroups.filter((group) => group.tier === tier);
  const names = new Set(declared.map(({ id }) => id));
  const groups = declared.map((group) => ({
    id: `${tier}:${group.id}`,
    title: group.id,
    note: regionOf(group) ?? group.site ?? "",
    regionId: regionOf(group),
    parents: group.parents.map((id) => `shield:${id}`),
    fallbacks: group.fallbacks.map((id) => `${tier}:${id}`),
    nodes: own.filter(({ cacheGroup }) => cacheGroup === group.id),
  }));
  const rest = own.filter(({ cacheGroup }) => !names.has(cacheGroup));
  if (rest.length > 0) {
    const title = { shield: "Shields", edge: "Edges", headend: "Headends" }[tier];
    const note = tier === "headend" || declared.length === 0 ? "" : "no group";
    groups.push({ id: `${tier}:`, title, note, parents: [], fallbacks: [], nodes: rest });
  }
  return groups.sort((a, b) => (a.regionId ?? "~") < (b.regionId ?? "~") ? -1 : 1);
}

function parentLinks({ id, parents, fallbacks }, shields) {
  const known = parents.filter((parent) => shields.some((shield) => shield.id === parent));
  const to = known.length > 0 ? known : shields.map((shield) => shield.id);
  return [
    ...to.map((parent, i) => ({
      from: id,
      to: parent,
      kind: i === 0 || known.length === 0 ? "primary" : "secondary",
    })),
    ...fallbacks.map((other) => ({ from: id, to: other, kind: "fallback" })),
  ];
}

function homeLinks({ id, title }, edges) {
  const near = edges.filter(({ regionId }) => regionId === title);
  const to = near.length > 0 ? near : edges;
  return to.map((edge) => ({ from: id, to: edge.id, kind: "home" }));
}

const byteUnits = ["B", "kB", "MB", "GB", "TB", "PB"];
const bitUnits = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"];

/** Bytes in the unit that leaves three digits: `182 kB`, `1.42 MB`. */
export function formatBytes(bytes) {
  return scaled(bytes, byteUnits);
}

/** Bytes a second as bits a second. */
export function formatBitRate(bytesPerSecond) {
  return scaled(bytesPerSecond * 8, bitUnits);
}

function scaled(value, units) {
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** A share as a percentage; never 0 % or 100 % when it is not exactly that. */
export function formatShare(share) {
  if (share === undefined) return "–";
  if (share > 0 && share < 0.001) return "< 0.1 %";
  if (share > 0.999 && share < 1) return "> 99.9 %";
  const percent = share * 100;
  return `${
    percent >= 99.95 || percent === Math.round(percent) ? Math.round(percent) : percent.toFixed(1)
  } %`;
}

/** A rate of requests: `0`, `3.4`, `120`, `12.3 k`. */
export function formatRate(perSecond) {
  if (perSecond >= 9999.5) return `${(perSecond / 1000).toFixed(1)} k`;
  return perSecond >= 9.95 || perSecond === 0
    ? String(Math.round(perSecond))
    : perSecond.toFixed(1);
}

/** A whole number with groups of digits: `12 304`. */
export function formatCount(count) {
  return count.toLocaleString("en").replaceAll(",", "\u202f");
}

/** Some of a thing: `1 node`, `12 nodes`. */
export function countOf(count, one, many = `${one}s`) {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A time gone by: `now`, `12 s`, `3 min`, `2 h`, `5 d`. */
export function formatAgo(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 3) return "now";
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** Where a purge stands, in words. */
export function purgeWords({ state, nodes: { total, applied } }) {
  if (total === 0) return "no node to wait for";
  if (state === "completed") return `on ${total === 1 ? "its one node" : `all ${total} nodes`}`;
  return `${applied} of ${countOf(total, "node")}`;
}

/** What a dry run found, in words. */
export function countWords({ objects, bytes, nodes: { total, answered } }) {
  const silent = total > answered ? ` ${total - answered} of ${total} did not answer.` : "";
  if (objects === 0) return `Nothing would be hit on ${countOf(answered, "cache")}.${silent}`;
  const what = `${countOf(objects, "object")} (${formatBytes(bytes)})`;
  return `It would hit ${what} on ${countOf(answered, "cache")}.${silent}`;
}

/**
 * Why a purge waits for a node, in words.
 *
 * @param {{ id: string, why: string, behindBy?: number, lastSeenMs?: number }} node
 * @param {number} nowMs
 */
export function waitWords({ id, why, behindBy, lastSeenMs }, nowMs) {
  if (why === "away") return `${id} (silent for ${formatAgo(nowMs - lastSeenMs)})`;
  if (why === "unplaced") return `${id} (has no place in the log)`;
  return `${id} (${formatCount(behindBy)} behind)`;
}

/** What a purge takes, in words. */
export function purgeTitle({ kind, values }) {
  if (kind === "all") return "everything";
  const more = values.length - 1;
  return more > 0 ? `${values[0]} and ${more} more` : values[0];
}

/**
 * The order that a form makes, or what it lacks.
 *
 * @returns {{ order?: object, problem?: string }}
 */
export function readOrder({ kind, text, soft }) {
  if (kind === "all") return { order: { kind, soft } };
  // A path may have commas in it.
  const values = text.split(kind === "tag" ? /[\s,]+/ : /\n/).map((value) => value.trim()).filter((
    value,
  ) => value !== "");
  if (values.length === 0) {
    return { problem: kind === "tag" ? "Name at least one tag." : "Name at least one path." };
  }
  return { order: { kind, values, soft } };
}
