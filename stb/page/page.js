/**
 * The set-top box's page: the picture, and where its bytes came from.
 *
 * @module
 */

import { Chart, chartMs } from "./chart.js";
import { Lab } from "./lab.js";
import {
  formatBytes,
  formatCount,
  formatShare,
  History,
  hitShare,
  roads,
  shares,
} from "./model.js";
import { Player } from "./player.js";

/** Rates are means over this long. */
const meanMs = 4_000;

const element = (/** @type {string} */ id) => document.getElementById(id);
const video = /** @type {HTMLVideoElement} */ (element("video"));
const curtain = element("curtain");
const words = { tuning: "Tuning in", waiting: "Waiting for the signal", paused: "Paused" };

const history = new History(chartMs + 3 * meanMs);
const player = new Player(video, {
  onState(state) {
    curtain.textContent = words[state] ?? "";
    curtain.hidden = state === "playing";
    element("play").textContent = state === "paused" ? "Play" : "Pause";
  },
});

/** What the box says of itself, twice a second. */
function show(status) {
  const nowMs = Date.now();
  history.push({ atMs: nowMs, bytes: status.bytes });
  element("box-name").textContent = status.name;
  const road = element("road");
  road.dataset.road = status.road;
  road.textContent = {
    multicast: "satellite multicast",
    unicast: "satellite by unicast",
  }[status.road] ?? "no session yet";
  showRoads(status.bytes, nowMs);
  showFacts(status);
  showRecent(status.recent);
  showServices(status.services);
  element("ahead").textContent = player.aheadSeconds.toFixed(1);
  element("stalls").textContent = String(player.stalls);
}

function showRoads(bytes, nowMs) {
  const share = shares(bytes);
  for (const road of roads) {
    const rate = history.rate(road, nowMs, meanMs) / 1e6;
    element(`${road}-rate`).textContent = rate.toFixed(2);
    element(`${road}-share`).textContent = formatShare(share[road]);
    element(`${road}-total`).textContent = formatBytes(bytes[road]);
    element(`${road}-track`).style.inlineSize = `${share[road] * 100}%`;
  }
}

function showFacts({ requests, packets, loss, objects, cache }) {
  const hits = hitShare(requests);
  element("hit-share").textContent = hits === undefined ? "-" : formatShare(hits);
  element("hits").textContent = formatCount(requests.miss, "miss", "misses");
  element("loss-seen").textContent = packets.expected === 0 ? "-" : formatShare(loss.last10s);
  element("packets").textContent = `${formatShare(loss.total)} in all`;
  element("mended").textContent = String(objects.repaired);
  element("objects").textContent = `of ${objects.complete + objects.repaired + objects.failed}`;
  element("disk").textContent = formatBytes(cache.usedBytes);
  element("stored").textContent = formatCount(cache.objects, "object");
}

/** One bar an object: as high as it is large, in the colours of the roads that brought it. */
function showRecent(recent) {
  const list = element("recent");
  const largest = Math.max(1, ...recent.map(({ bytes }) => bytes));
  list.replaceChildren(...recent.map((object) => {
    const bar = document.createElement("li");
    bar.title = `${object.path}: ${formatBytes(object.bytes)} in ${Math.round(object.tookMs)} ms`;
    bar.style.blockSize = `${Math.max(6, 100 * Math.sqrt(object.bytes / largest))}%`;
    for (const road of [...roads].reverse()) {
      if (!object[road]) continue;
      const part = document.createElement("span");
      part.dataset.road = road;
      part.style.flexGrow = String(object[road]);
      bar.append(part);
    }
    return bar;
  }));
}

function showServices(services) {
  const playable = services.filter(({ live }) => live);
  const select = /** @type {HTMLSelectElement} */ (element("service"));
  if (select.options.length !== playable.length) {
    select.replaceChildren(...playable.map(({ name, live }) => new Option(name, live)));
    select.closest("label").hidden = playable.length < 2;
  }
  if (playable.length > 0) player.tune(select.value);
}

function listen() {
  const link = element("link");
  const events = new EventSource("/api/events");
  events.onmessage = ({ data }) => {
    link.dataset.state = "live";
    link.textContent = "live";
    show(JSON.parse(data));
  };
  events.onerror = () => {
    link.dataset.state = "waiting";
    link.textContent = "reconnecting";
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 1000);
  };
}

function toggleSound() {
  video.muted = !video.muted;
  element("sound").textContent = video.muted ? "Sound on" : "Sound off";
}

function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else video.requestFullscreen().catch(() => {});
}

const keys = {
  " ": () => player.toggle(),
  k: () => player.toggle(),
  m: toggleSound,
  f: toggleFull,
  p: () => element("purge").click(),
};

element("play").addEventListener("click", () => player.toggle());
element("sound").addEventListener("click", toggleSound);
element("full").addEventListener("click", toggleFull);
element("service").addEventListener("change", (event) => player.tune(event.target.value));
addEventListener("keydown", (event) => {
  const typing = event.target.closest("button, input, select");
  const act = keys[event.key.toLowerCase()];
  if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing && event.key === " ") return;
  event.preventDefault();
  act();
});

new Chart(/** @type {HTMLCanvasElement} */ (element("chart")), history).run();
listen();

const { control } = await (await fetch("demo.json")).json();
if (control) new Lab(control).start();
