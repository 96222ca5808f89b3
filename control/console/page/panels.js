/**
 * The panels below the topology: each takes a part of the state and shows it.
 *
 * @module
 */

import { makeShareBar, makeSpark, updateShareBar, updateSpark } from "./charts.js";
import { byId, h, keyed, set } from "./dom.js";
import {
  byName,
  cacheRoads,
  countOf,
  formatAgo,
  formatBitRate,
  formatBytes,
  formatCount,
  formatRate,
  formatShare,
  healthOf,
  homeRoads,
  purgeTitle,
  purgeWords,
  roadShares,
  waitWords,
  worstSign,
} from "./model.js";
import { signIcon } from "./topology.js";

/** What all panels are shown. */
/** @typedef {{ nodes: any[], topology: any, purges: any, fleet: any, series: import("./model.js").SeriesBook, nowMs: number }} State */

/** Shows how everything is, in a line of figures. */
export function showFacts({ nodes, purges, fleet, series }) {
  const edges = nodes.filter(({ role }) => role === "edge");
  const front = edges.length > 0 ? edges : nodes.filter(({ role }) => role === "shield");
  const ids = front.map(({ id }) => `node:${id}`);
  const rate = (name) => series.sum(ids, name);
  const [hits, misses] = [rate("hits"), rate("misses")];
  const sum = (read) => front.reduce((total, node) => total + (read(node.rates) ?? 0), 0);
  const requests = sum((rates) => rates?.requestsPerSecond);
  const weighted = sum((rates) => rates && rates.requestsPerSecond * (rates.hitRatio ?? 0));
  const signs = nodes.map((node) => healthOf(node).sign);
  const bad = signs.filter((sign) => sign !== "good").length;
  keyed(byId("facts"), [
    {
      id: "nodes",
      title: "Nodes available",
      value: nodes.length === 0 ? "–" : `${nodes.length - bad} / ${nodes.length}`,
      note: bad === 0
        ? (nodes.length === 0 ? "none has registered" : "all are well")
        : troubles(signs),
      sign: nodes.length === 0 ? undefined : worstSign(signs),
    },
    {
      id: "hits",
      title: "Hit ratio at the edges",
      value: requests > 0 ? formatShare(weighted / requests) : "–",
      note: requests > 0 ? "last 10 s" : "no requests now",
      curve: hits.map((hit, i) => hit + misses[i] === 0 ? 0 : hit / (hit + misses[i])),
    },
    {
      id: "requests",
      title: "Requests",
      value: `${formatRate(requests)} /s`,
      note: `on ${countOf(front.length, "edge")}`,
      curve: rate("requests"),
    },
    {
      id: "bytes",
      title: "To clients",
      value: formatBitRate(sum((rates) => rates?.bytesPerSecond)),
      note: "bodies, last 10 s",
      curve: rate("bytes"),
    },
    purgeFact(purges),
    {
      id: "homes",
      title: "Homes",
      value: fleet ? formatCount(fleet.boxes) : "–",
      note: !fleet || fleet.boxes === 0 ? "no box has reported" : homesNote(fleet),
      sign: fleet?.late > 0 ? "late" : undefined,
    },
  ], {
    key: ({ id }) => id,
    make: ({ id, title, curve }) =>
      h(
        "div",
        { class: "fact", "data-fact": id },
        h("p", { class: "fact-title", text: title }),
        h("p", { class: "fact-value" }, h("span", { class: "sign-box" }), h("span")),
        h("p", { class: "fact-note quiet" }),
        ...(curve ? [makeSpark(120, 30)] : []),
      ),
    update: (element, { value, note, sign, curve }) => {
      const [, valueLine, noteLine, spark] = element.children;
      showSign(valueLine.children[0], sign);
      set(valueLine.children[1], { text: value });
      set(noteLine, { text: note });
      if (curve) updateSpark(spark, curve);
    },
  });
}

/** Puts a sign into its box, or takes it out. */
function showSign(box, sign) {
  if ((box.dataset.sign ?? "") === (sign ?? "")) return;
  set(box, { "data-sign": sign });
  box.replaceChildren(...(sign ? [signIcon(sign)] : []));
}

function troubles(signs) {
  const words = { bad: "failing", late: "silent", off: "drained" };
  return Object.entries(words).flatMap(([sign, word]) => {
    const count = signs.filter((each) => each === sign).length;
    return count === 0 ? [] : [`${count} ${word}`];
  }).join(", ");
}

function homesNote({ regions, late }) {
  const expected = regions.reduce((sum, region) => sum + region.packetsExpected, 0);
  const lost = regions.reduce((sum, region) => sum + region.packetsLost, 0);
  const loss = expected === 0
    ? "no packets yet"
    : `${formatShare(lost / expected)} of packets lost`;
  return late > 0 ? `${loss}, ${late} late` : loss;
}

function purgeFact(purges) {
  const [last] = purges?.purges ?? [];
  const waiting = (purges?.purges ?? []).filter(({ state }) => state !== "completed").length;
  if (last === undefined) {
    return { id: "purge", title: "Last purge", value: "–", note: "none so far" };
  }
  const value = waiting > 0 ? countOf(waiting, "open", "open") : `#${last.seq}`;
  return {
    id: "purge",
    title: "Last purge",
    value: waiting > 0 ? `${last.nodes.applied} / ${last.nodes.total}` : value,
    note: waiting > 1 ? `${waiting} in progress` : purgeWords(last),
    sign: waiting > 0 ? "late" : "good",
  };
}

/** Shows the nodes as rows. */
export function showNodes({ nodes, series, nowMs }, onNode) {
  set(byId("node-count"), { text: nodes.length === 0 ? "" : countOf(nodes.length, "node") });
  empty(
    "node",
    nodes.length === 0,
    "No node has registered. Start one with --control and the address of this page.",
  );
  const order = ["shield", "edge", "headend", "stb"];
  const sorted = [...nodes].sort((a, b) =>
    order.indexOf(a.role) - order.indexOf(b.role) || byName(a.id, b.id)
  );
  keyed(byId("node-rows"), sorted, {
    key: ({ id }) => id,
    make: ({ id }) => nodeRow(id, onNode),
    update: (row, node) => updateNodeRow(row, node, series, nowMs),
  });
}

function nodeRow(id, onNode) {
  const cell = (label, name, ...children) =>
    h("td", { "data-label": label, class: name }, ...children);
  return h(
    "tr",
    { "data-node-row": id },
    h(
      "th",
      { scope: "row" },
      h(
        "button",
        { type: "button", class: "node-button", onclick: () => onNode(id) },
        h("span", { class: "sign-box" }),
        h("b", { text: id }),
      ),
      h("span", { class: "quiet role" }),
    ),
    cell("Group", "text"),
    cell("Health", "health"),
    cell("Hit ratio", "ratio", h("span", { class: "number" }), makeSpark(70, 20)),
    cell("Requests", "rate", h("span", { class: "number" }), makeSpark(70, 20)),
    cell("Bytes by road", "roads-cell", makeShareBar(), h("span", { class: "quiet small" })),
    cell("Load", "number load"),
    cell("Seq lag", "number lag"),
    cell("Heard", "number heard"),
  );
}

function updateNodeRow(row, node, series, nowMs) {
  const { sign, words } = healthOf(node);
  const [name, group, health, ratio, rate, roads, load, lag, heard] = row.children;
  const [button, role] = name.children;
  showSign(button.firstElementChild, sign);
  set(row, { "data-sign": sign });
  set(role, { text: node.role });
  set(group, { text: [node.cacheGroup, node.region].filter(Boolean).join(" · ") || "–" });
  set(health, { text: words, "data-sign": sign });
  const id = `node:${node.id}`;
  const [hits, misses] = [series.rates(id, "hits"), series.rates(id, "misses")];
  set(ratio.children[0], { text: formatShare(node.rates?.hitRatio) });
  updateSpark(
    ratio.children[1],
    hits.map((hit, i) => hit + misses[i] === 0 ? 0 : hit / (hit + misses[i])),
  );
  const requests = node.rates?.requestsPerSecond;
  set(rate.children[0], { text: requests === undefined ? "–" : `${formatRate(requests)} /s` });
  updateSpark(rate.children[1], series.rates(id, "requests"));
  const bytes = node.figures?.bytesByRoad ?? {};
  const total = Object.values(bytes).reduce((sum, count) => sum + count, 0);
  const shares = roadShares(bytes, cacheRoads);
  updateShareBar(roads.children[0], shares, shareWords(shares));
  set(roads.children[1], { text: total === 0 ? "none yet" : formatBytes(total) });
  set(load, { text: node.figures === undefined ? "–" : formatShare(node.figures.load) });
  const far = node.seqLag > 0;
  set(lag, { text: formatCount(node.seqLag), "data-sign": far ? "late" : undefined });
  set(heard, { text: formatAgo(nowMs - node.lastSeenMs) });
}

function shareWords(shares) {
  if (shares.length === 0) return "no bytes yet";
  return shares.map(({ road, share }) => `${road.replace("_", " ")} ${formatShare(share)}`).join(
    ", ",
  );
}

/** Shows the purges that there were, with how far each is. */
export function showPurges({ purges, nowMs }, { details, onOpen }) {
  const list = purges?.purges ?? [];
  set(byId("purge-seq"), { text: purges ? `log at ${formatCount(purges.lastSeq)}` : "" });
  keyed(byId("purge-list"), list.slice(0, 30), {
    key: ({ id }) => id,
    make: (purge) => purgeRow(purge, onOpen),
    update: (row, purge) => updatePurgeRow(row, purge, details.get(purge.id), nowMs),
  });
  const hint = byId("purge-list");
  hint.dataset.empty = list.length === 0 ? "Nothing has been purged yet." : "";
}

function purgeRow({ id, kind, values, soft }, onOpen) {
  return h(
    "li",
    { class: "purge", "data-purge": id },
    h(
      "button",
      { type: "button", class: "purge-head", "aria-expanded": "false", onclick: () => onOpen(id) },
      h("span", { class: "kind", text: kind }),
      h("span", {
        class: "purge-title",
        text: purgeTitle({ kind, values }),
        title: values.join("\n"),
      }),
      h("span", { class: "quiet small", text: soft ? "soft" : "" }),
      h("span", { class: "quiet small ago" }),
    ),
    h(
      "div",
      { class: "progress-line" },
      h("progress", {
        max: 1,
        value: 0,
        "aria-label": `Purge ${kind}: nodes that have applied it`,
      }),
      h("span", { class: "small progress-words" }),
    ),
    h("div", { class: "purge-details", hidden: true }),
  );
}

function updatePurgeRow(row, purge, detail, nowMs) {
  const { state, nodes, issuedMs } = purge;
  const [head, line, more] = row.children;
  const share = nodes.total === 0 ? 1 : nodes.applied / nodes.total;
  set(row, { "data-state": state });
  set(head.children[3], { text: formatAgo(nowMs - issuedMs) });
  set(line.children[0], { value: state === "completed" ? 1 : share });
  set(line.children[1], { text: purgeWords(purge) });
  set(head, { "aria-expanded": String(detail !== undefined) });
  set(more, { hidden: detail === undefined });
  if (detail !== undefined) more.replaceChildren(...purgeDetails(purge, detail, nowMs));
}

function purgeDetails({ seq, issuer, values }, detail, nowMs) {
  const { waiting = [], took = [] } = detail.nodes ?? {};
  const slowest = [...took].sort((a, b) => b.ms - a.ms);
  const lines = [
    ["Sequence", `#${seq}, by ${issuer}`],
    [
      "Slowest",
      slowest.length === 0
        ? "–"
        : slowest.slice(0, 3).map(({ id, ms }) => `${id} ${ms} ms`).join(", "),
    ],
    [
      "Waiting for",
      waiting.length === 0
        ? "nobody"
        : waiting.slice(0, 6).map((node) => waitWords(node, nowMs)).join(", ") +
          (waiting.length > 6 ? ` and ${waiting.length - 6} more` : ""),
    ],
    ...(values.length > 1 ? [["Values", values.slice(0, 8).join(" ")]] : []),
  ];
  return [
    h("dl", {}, ...lines.flatMap(([name, text]) => [h("dt", { text: name }), h("dd", { text })])),
  ];
}

/** Shows the homes: roads, and how reception is by region. */
export function showHomes({ fleet, series }) {
  const regions = fleet?.regions ?? [];
  set(byId("home-count"), {
    text: fleet && fleet.boxes > 0
      ? `${countOf(fleet.boxes, "box", "boxes")}, each reports every ${fleet.reportSeconds} s`
      : "",
  });
  const none = regions.length === 0;
  empty(
    "region",
    none,
    "No set-top box has reported. Boxes with a return path join with --control; gateways send POST /fleet/reports.",
  );
  byId("roads").hidden = none;
  const total = {};
  for (const { bytesByRoad } of regions) {
    for (const [road, bytes] of Object.entries(bytesByRoad)) {
      total[road] = (total[road] ?? 0) + bytes;
    }
  }
  const all = Object.values(total).reduce((sum, bytes) => sum + bytes, 0);
  const ids = regions.map(({ id }) => `region:${id}`);
  keyed(byId("roads"), homeRoads, {
    key: (road) => road,
    make: (road) =>
      h(
        "li",
        { class: "road", "data-road": road },
        h("span", { class: "road-name", text: road }),
        h("b", { class: "road-share" }),
        h("span", { class: "quiet small" }),
        makeSpark(140, 30),
      ),
    update: (row, road) => {
      const [, share, note, spark] = row.children;
      const rates = series.sum(ids, road);
      set(share, { text: all === 0 ? "–" : formatShare((total[road] ?? 0) / all) });
      set(note, { text: `${formatBytes(total[road] ?? 0)}, ${formatBitRate(rates.at(-1) ?? 0)}` });
      updateSpark(spark, rates);
    },
  });
  keyed(byId("region-rows"), regions, {
    key: ({ id }) => id,
    make: ({ id }) => regionRow(id),
    update: updateRegionRow,
  });
}

function regionRow(id) {
  const cell = (label, name, ...children) =>
    h("td", { "data-label": label, class: name }, ...children);
  return h(
    "tr",
    { "data-region": id },
    h("th", { scope: "row" }, h("b", { text: id }), h("span", { class: "quiet role" })),
    cell("Boxes", "number"),
    cell("Late", "number"),
    cell("Lost", "number"),
    cell("Bytes by road", "roads-cell", makeShareBar(), h("span", { class: "quiet small" })),
    cell("Behind", "number"),
  );
}

function updateRegionRow(row, region) {
  const [name, boxes, late, lost, roads, behind] = row.children;
  const [version] = region.versions;
  const more = region.versions.length > 1 ? ` +${region.versions.length - 1}` : "";
  set(name.children[1], { text: version ? `v${version.version}${more}` : "" });
  set(boxes, { text: formatCount(region.boxes) });
  set(late, { text: formatCount(region.late), "data-sign": region.late > 0 ? "late" : undefined });
  const bad = region.lossy > 0 ? "late" : undefined;
  set(lost, { text: formatShare(region.lossRatio), "data-sign": bad });
  const shares = roadShares(region.bytesByRoad, homeRoads);
  const total = Object.values(region.bytesByRoad).reduce((sum, bytes) => sum + bytes, 0);
  updateShareBar(roads.children[0], shares, shareWords(shares));
  set(roads.children[1], { text: total === 0 ? "none yet" : formatBytes(total) });
  set(behind, {
    text: formatCount(region.behind),
    "data-sign": region.behind > 0 ? "late" : undefined,
  });
}

/** Shows the carousel plan. */
export function showCarousel({ topology }) {
  const files = [...(topology?.carousel ?? [])].sort((a, b) =>
    a.priority - b.priority || b.popularity - a.popularity
  );
  set(byId("carousel-count"), { text: files.length === 0 ? "" : countOf(files.length, "file") });
  empty(
    "carousel",
    files.length === 0,
    "No carousel plan is declared: headends repeat what their own flags name. Declare one with PUT /carousel.",
  );
  keyed(byId("carousel-rows"), files, {
    key: ({ path }) => path,
    make: ({ path }) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, h("code", { text: path })),
        ...["Priority", "Popularity", "Comes round", "Leaves"].map((label, i) =>
          h("td", { "data-label": label, class: i < 3 ? "number" : "" })
        ),
      ),
    update: (row, { priority, popularity, acquisitionSeconds, expires }) => {
      const texts = [
        priority,
        popularity,
        acquisitionSeconds === undefined
          ? "each cycle"
          : `in ${formatAgo(acquisitionSeconds * 1000)}`,
        expires === undefined ? "stays" : expires.slice(0, 10),
      ];
      for (const [i, text] of texts.entries()) set(row.children[i + 1], { text });
    },
  });
}

/** Shows the limits, and what they refused. */
export function showLimits({ topology, nodes }) {
  const policies = topology?.buckets?.policies ?? [];
  set(byId("limit-count"), {
    text: policies.length === 0 ? "" : countOf(policies.length, "policy", "policies"),
  });
  empty(
    "limit",
    policies.length === 0,
    "No limits are declared: every client gets what it asks for.",
  );
  keyed(byId("limit-rows"), policies, {
    key: ({ name }) => name,
    make: ({ name }) =>
      h(
        "tr",
        { "data-policy": name },
        h("th", { scope: "row" }, h("b", { text: name }), h("span", { class: "quiet role" })),
        ...["Per", "Paths", "Quota", "Burst", "Refused"].map((label, i) =>
          h("td", { "data-label": label, class: i > 1 ? "number" : "" })
        ),
      ),
    update: (row, policy) => {
      const { per, paths, unit, quota, windowSeconds, burst, shared, tiers, name } = policy;
      const [head, perCell, pathCell, quotaCell, burstCell, refusedCell] = row.children;
      const amount = (count) => unit === "bytes" ? formatBytes(count) : formatCount(count);
      const said = nodes.filter(({ figures }) => figures?.refusals !== undefined);
      const refused = said.reduce((sum, { figures }) => sum + (figures.refusals[name] ?? 0), 0);
      set(head.children[1], { text: [...tiers, ...(shared ? ["shared"] : [])].join(", ") });
      set(perCell, { text: per });
      set(pathCell, { text: paths.length === 0 ? "all" : paths.join(" ") });
      set(quotaCell, {
        text: `${amount(quota)} / ${windowSeconds === 1 ? "s" : `${windowSeconds} s`}`,
      });
      set(burstCell, { text: amount(burst ?? quota) });
      set(refusedCell, {
        text: said.length === 0 ? "–" : formatCount(refused),
        "data-sign": refused > 0 ? "late" : undefined,
      });
    },
  });
}

/** Shows who changed what; `undefined` when the session may not know. */
export function showAudit(entries, nowMs) {
  const words = entries === undefined
    ? "The audit log needs a token with scope admin."
    : "Nothing has been changed yet.";
  empty("audit", !entries?.length, words);
  keyed(byId("audit-rows"), [...(entries ?? [])].reverse().slice(0, 50), {
    key: ({ id }) => String(id),
    make: ({ atMs, who, action, detail, path, address, status }) =>
      h(
        "tr",
        {},
        h("td", { "data-label": "When", title: new Date(atMs).toISOString(), class: "when" }),
        h("td", { "data-label": "Who" }, h("b", { text: who })),
        h("td", { "data-label": "What", text: action }),
        h("td", {
          "data-label": "Detail",
          class: "detail",
          text: detail || path,
          title: detail || path,
        }),
        h("td", { "data-label": "From", text: address || "–" }),
        h("td", {
          "data-label": "Outcome",
          "data-sign": status < 400 ? "good" : "bad",
          text: status < 400 ? "done" : `refused (${status})`,
        }),
      ),
    update: (row, { atMs }) => set(row.children[0], { text: formatAgo(nowMs - atMs) }),
  });
}

/** Says why a table has no rows, instead of the table. */
function empty(name, is, words) {
  const note = byId(`${name}-empty`);
  note.hidden = !is;
  set(note, { text: words });
  byId(`${name}-table`).hidden = is;
}
