/**
 * The console: signs in, follows the feed, shows what it says, orders purges.
 *
 * @module
 */

import { byId, set } from "./dom.js";
import { countWords, formatAgo, formatCount, readOrder, SeriesBook } from "./model.js";
import { NodeDialog } from "./node_dialog.js";
import {
  showAudit,
  showCarousel,
  showFacts,
  showHomes,
  showLimits,
  showNodes,
  showPurges,
} from "./panels.js";
import { ask, Feed, may } from "./session.js";
import { drawTopology } from "./topology.js";

/** Silence of the feed after which what is shown counts as stale, in milliseconds. */
const staleMs = 6000;
const auditMs = 4000;

let session = { name: "", scopes: [], open: false };
/** What control said last; parts are `undefined` before that. */
const state = { nodes: [], topology: undefined, purges: undefined, fleet: undefined };
const series = new SeriesBook();
const details = new Map();
let audit = [];
/** Control's clock minus ours, in milliseconds. */
let offsetMs = 0;
let heardMs = 0;
let away = false;

const nowMs = () => Date.now() + offsetMs;
const shown = () => ({ ...state, series, nowMs: nowMs() });
const dialog = new NodeDialog(() => session);
const openNode = (id) => dialog.open(id, shown());

const feed = new Feed({
  onEvent: take,
  onState: (now) => {
    away = now === "away";
    if (!away) heardMs = Date.now();
    showLink();
  },
  onRefused: start,
});

/** Takes one event of the feed. */
function take(name, data) {
  if (name === "beat") return void (offsetMs = data - Date.now());
  if (data === null) return;
  if (name === "history") {
    series.load(data);
    offsetMs = data.nowMs - Date.now();
  } else if (name === "nodes") {
    state.nodes = data.nodes;
    noteTotals();
  } else state[name] = data;
  schedule(name);
}

/** Adds to the curves what nodes and regions have counted by now. */
function noteTotals() {
  for (const { id, figures } of state.nodes) {
    if (figures === undefined) continue;
    const { requests, hits, misses, bytesByRoad = {} } = figures;
    const bytes = Object.values(bytesByRoad).reduce((sum, count) => sum + count, 0);
    series.push(`node:${id}`, { requests, hits, misses, bytes }, nowMs());
  }
  for (const { id, bytesByRoad } of state.fleet?.regions ?? []) {
    series.push(`region:${id}`, bytesByRoad, nowMs());
  }
}

/** What has to be drawn at the next frame. */
const due = new Set();

function schedule(...names) {
  if (due.size === 0) requestAnimationFrame(draw);
  for (const name of names) due.add(name);
}

function draw() {
  const names = new Set(due);
  due.clear();
  const now = shown();
  const any = (...wanted) => wanted.some((name) => names.has(name));
  if (any("nodes", "purges", "fleet", "history")) showFacts(now);
  if (any("nodes", "topology", "fleet", "size")) drawMap(now);
  if (any("nodes", "history")) showNodes(now, openNode);
  if (any("nodes")) dialog.show(now);
  if (any("purges", "details", "nodes")) showPurges(now, { details, onOpen: openPurge });
  if (any("fleet", "history", "nodes")) showHomes(now);
  if (any("topology")) showCarousel(now);
  if (any("topology", "nodes")) showLimits(now);
  if (any("audit")) showAudit(may(session, "admin") ? audit : undefined, nowMs());
}

function drawMap({ topology, nodes, fleet }) {
  if (topology === undefined) return;
  const { number, issuedMs } = topology;
  const words = `snapshot ${formatCount(number)}, ${formatAgo(nowMs() - issuedMs)} old`;
  set(byId("snapshot"), { text: words });
  const boxes = nodes.filter(({ role }) => role !== "stb");
  const nothing = boxes.length + topology.cacheGroups.length + (fleet?.boxes ?? 0) === 0;
  byId("map").hidden = nothing;
  byId("map-empty").hidden = !nothing;
  if (nothing) return;
  drawTopology(byId("map"), { topology, nodes: boxes, regions: fleet?.regions ?? [] }, openNode);
}

/** Says whether what is shown is true now. */
function showLink() {
  if (document.body.dataset.view === "sign-in") return;
  const silentMs = Date.now() - heardMs;
  const stale = heardMs > 0 && silentMs > staleMs;
  const [word, text] = away || stale
    ? ["stale", heardMs === 0 ? "Control is away" : `Stale for ${formatAgo(silentMs)}`]
    : heardMs === 0
    ? ["waiting", "Connecting"]
    : ["live", "Live"];
  set(byId("link"), { "data-state": word, text });
  document.body.dataset.stale = String(word === "stale");
  const banner = byId("banner");
  banner.hidden = word !== "stale";
  set(banner, {
    text: heardMs === 0
      ? "Control does not answer. The console tries again by itself."
      : `Control has been silent for ${
        formatAgo(silentMs)
      }. What you see is what it said last; the console tries again by itself.`,
  });
}

/** Opens or closes the details of a purge. */
async function openPurge(id) {
  if (details.has(id)) details.delete(id);
  else await fetchDetails(id);
  schedule("details");
}

async function fetchDetails(id) {
  try {
    details.set(id, await ask("GET", `/purges/${encodeURIComponent(id)}`));
  } catch {
    details.set(id, {});
  }
  schedule("details");
}

/** Details that are open follow their purge to its end. */
function followDetails() {
  for (const [id, detail] of details) if (detail.state !== "completed") fetchDetails(id);
}

/** The order that the form holds; says what is missing when there is none. */
function orderOf(form) {
  const kind = new FormData(form).get("kind");
  const text = byId("purge-values").value;
  const read = readOrder({ kind, text, soft: byId("purge-soft").checked });
  if ("problem" in read) answer(read.problem, "bad");
  return read.order;
}

async function sendPurge(event) {
  event.preventDefault();
  const order = orderOf(byId("purge-form"));
  if (order === undefined) return;
  if (order.kind === "all" && !confirm("Purge everything on every node?")) return;
  await withForm(async () => {
    const { id, seq } = await ask("POST", "/purges", order);
    answer(`Purge #${seq} is in the log.`, "good");
    byId("purge-values").value = "";
    await fetchDetails(id);
  });
}

/** Asks every cache what a purge would hit. */
async function countPurge() {
  const order = orderOf(byId("purge-form"));
  if (order === undefined) return;
  await withForm(async () => {
    answer(countWords(await ask("POST", "/purges", { ...order, dryRun: true })), "good");
  });
}

/** Nobody sends an order twice while it is on its way. */
async function withForm(work) {
  const buttons = [byId("purge-send"), byId("purge-count")];
  for (const button of buttons) button.disabled = true;
  try {
    await work();
  } catch (error) {
    answer(error.message, "bad");
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

function answer(text, sign) {
  set(byId("purge-answer"), { text, "data-sign": sign });
}

const hints = {
  url: ["Paths, one a line", "/live/one/index.m3u8"],
  prefix: ["Path prefixes, one a line", "/vod/film-7/"],
  tag: ["Tags, with spaces or one a line", "news"],
  all: ["Everything, on every node", "Everything, on every node"],
};

function showKind() {
  const kind = new FormData(byId("purge-form")).get("kind") ?? "url";
  const [label, hint] = hints[kind];
  set(byId("purge-label"), { text: label });
  set(byId("purge-values"), { placeholder: hint, disabled: kind === "all" });
}

/** Who may not purge sees why, instead of a form that fails. */
function showRights() {
  const purger = may(session, "purge");
  for (const field of byId("purge-form").elements) field.disabled = !purger;
  if (purger) showKind();
  answer(purger ? "" : "This token may look. To purge it needs scope purge.", "off");
  const scopes = session.scopes.join(", ");
  set(byId("who"), { text: session.open ? "open on loopback" : `${session.name} (${scopes})` });
  byId("sign-out").hidden = session.open;
}

async function readAudit() {
  if (may(session, "admin") && document.body.dataset.view === "signed" && !document.hidden) {
    try {
      const after = audit.at(-1)?.id;
      const { entries } = await ask("GET", `/audit?limit=50${after ? `&after=${after}` : ""}`);
      audit = [...audit, ...entries].slice(-50);
    } catch {
      // The feed says when control is away.
    }
  }
  schedule("audit");
}

function showView(view) {
  document.body.dataset.view = view;
  if (view === "sign-in") set(byId("link"), { "data-state": "waiting", text: "Signed out" });
  byId("sign-in").hidden = view !== "sign-in";
  if (view === "sign-in") byId("token").focus();
}

/** Finds out who looks, and starts or asks for a token. */
async function start() {
  try {
    session = await ask("GET", "/console/session");
  } catch (error) {
    if (error.status === 401) return showView("sign-in");
    if (error.status === 403) return refuseView(error.message);
    away = true;
    showLink();
    return void setTimeout(start, 2000);
  }
  if (!may(session, "read")) return refuseView("This token may not read: it needs scope read.");
  showView("signed");
  showRights();
  feed.open();
  readAudit();
}

function refuseView(sentence) {
  showView("sign-in");
  set(byId("sign-in-error"), { text: sentence, hidden: false });
}

async function signIn(event) {
  event.preventDefault();
  byId("sign-in-error").hidden = true;
  try {
    await ask("POST", "/console/session", { token: byId("token").value.trim() });
    byId("token").value = "";
    await start();
  } catch (error) {
    const text = error.status === 401 ? "That token is not in force." : error.message;
    set(byId("sign-in-error"), { text, hidden: false });
  }
}

async function signOut() {
  feed.close();
  await ask("DELETE", "/console/session").catch(() => {});
  location.reload();
}

function switchTheme() {
  const dark = getComputedStyle(document.documentElement).colorScheme === "dark" ||
    (document.documentElement.dataset.theme === undefined &&
      matchMedia("(prefers-color-scheme: dark)").matches);
  const theme = dark ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
}

const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;
byId("theme").addEventListener("click", switchTheme);
byId("sign-in").addEventListener("submit", signIn);
byId("sign-out").addEventListener("click", signOut);
byId("purge-form").addEventListener("submit", sendPurge);
byId("purge-count").addEventListener("click", countPurge);
byId("purge-kinds").addEventListener("change", showKind);
new ResizeObserver(() => schedule("size")).observe(byId("map"));
setInterval(showLink, 1000);
setInterval(followDetails, 500);
setInterval(readAudit, auditMs);
start();
