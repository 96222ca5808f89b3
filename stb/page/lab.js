/**
 * The lab: a demo's switches. It talks to the demo's control address, which `demo.json` names; on a
 * set-top box in a home there is none, and the panel stays hidden.
 *
 * @module
 */

import { formatCount, formatShare } from "./model.js";

const pollMs = 500;
/** While a purge runs, so that each node is seen to turn. */
const purgePollMs = 60;
const posterPath = "/files/poster.svg";

const element = (/** @type {string} */ id) => document.getElementById(id);

/** The panel and the state that it shows. */
export class Lab {
  #control;
  #loss = /** @type {HTMLInputElement} */ (element("loss"));
  #purgeButton = /** @type {HTMLButtonElement} */ (element("purge"));
  #rows = new Map();
  /** Whether an order to the satellite is on its way, and when the last one arrived. */
  #ordering = false;
  #orderedMs = 0;
  #purgeId;
  #timer;
  #turn = 0;
  #shownEdition;

  /** @param {string} control Base URL of the demo's control. */
  constructor(control) {
    this.#control = control;
  }

  start() {
    element("lab").hidden = false;
    document.body.classList.add("has-lab");
    this.#loss.addEventListener("input", () => this.#sendLoss());
    this.#purgeButton.addEventListener("click", () => this.purge());
    this.#showPoster();
    this.#poll();
  }

  /** Raises the origin's edition and purges the poster and the notice everywhere. */
  async purge() {
    if (this.#purgeButton.disabled) return;
    this.#purgeButton.disabled = true;
    this.#say("Purging");
    for (const row of this.#rows.values()) row.dataset.state = "waiting";
    try {
      const { id } = await this.#send("POST", "/purge");
      this.#purgeId = id;
    } catch (error) {
      this.#say(error.message);
      this.#purgeButton.disabled = false;
    }
    this.#poll();
  }

  /** Orders what the slider says, one order at a time so that the last one wins. */
  async #sendLoss() {
    this.#showLoss();
    if (this.#ordering) return;
    this.#ordering = true;
    let ordered;
    while (ordered !== this.#loss.value) {
      ordered = this.#loss.value;
      try {
        await this.#send("PUT", "/loss", { share: Number(ordered) / 100 });
      } catch (error) {
        element("satellite-seen").textContent = error.message;
      }
    }
    this.#ordering = false;
    this.#orderedMs = performance.now();
  }

  /** @returns {Promise<any>} */
  async #send(method, path, body) {
    const answer = await fetch(this.#control + path, {
      method,
      headers: body ? { "content-type": "application/json" } : {},
      body: body ? JSON.stringify(body) : undefined,
    });
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.error ?? `The demo answered ${answer.status}`);
    return value;
  }

  async #poll() {
    clearTimeout(this.#timer);
    const turn = ++this.#turn;
    const askedMs = performance.now();
    try {
      this.#show(await this.#send("GET", "/state"), askedMs);
    } catch {
      this.#say("The demo does not answer.");
    }
    if (turn !== this.#turn) return;
    this.#timer = setTimeout(() => this.#poll(), this.#purgeId ? purgePollMs : pollMs);
  }

  #show({ satellite, nodes, purge, edition }, askedMs) {
    // A state from before the last order would pull the slider back under the viewer's hand.
    if (!this.#ordering && askedMs > this.#orderedMs) {
      this.#loss.value = String(Math.round(satellite.lossShare * 100));
    }
    this.#showLoss();
    const passed = satellite.relayed + satellite.dropped;
    element("satellite-seen").textContent = `${formatCount(satellite.dropped, "packet")} lost of ` +
      `${formatCount(passed, "packet")}`;
    this.#showNodes(nodes, purge);
    this.#showPurge(purge, edition);
  }

  #showLoss() {
    const percent = Number(this.#loss.value);
    element("loss-value").textContent = formatShare(percent / 100);
    this.#loss.style.setProperty("--at", String(percent / 30));
  }

  #showNodes(nodes, purge) {
    for (const node of nodes) {
      const row = this.#rows.get(node.id) ?? this.#addRow(node);
      const turnedMs = purge?.turnedMs?.[node.id];
      row.dataset.state = !node.alive
        ? "gone"
        : purge?.waiting?.includes(node.id)
        ? "waiting"
        : turnedMs === undefined
        ? "idle"
        : "turned";
      const cells = row.querySelectorAll("td");
      cells[1].textContent = node.answers === undefined ? "-" : node.answers.toLocaleString("en");
      cells[2].textContent = node.hitShare === undefined ? "-" : formatShare(node.hitShare);
      cells[3].textContent = String(node.appliedSeq ?? "-");
      cells[4].textContent = turnedMs === undefined
        ? "-"
        : `${Math.max(1, Math.round(turnedMs))} ms`;
    }
  }

  #addRow(node) {
    const row = document.createElement("tr");
    const name = document.createElement("th");
    name.scope = "row";
    name.textContent = node.id;
    row.append(name);
    for (let index = 0; index < 5; index++) {
      const cell = document.createElement("td");
      if (index > 0) cell.className = "number";
      row.append(cell);
    }
    row.querySelector("td").textContent = node.role;
    element("nodes").append(row);
    this.#rows.set(node.id, row);
    return row;
  }

  #showPurge(purge, edition) {
    if (this.#purgeId === undefined) {
      if (edition !== this.#shownEdition) this.#showPoster(edition);
      return;
    }
    if (purge?.id !== this.#purgeId) return;
    const { applied, total } = purge;
    this.#say(`${applied} of ${formatCount(total, "node")} turned`);
    if (purge.state !== "completed") return;
    const slowestMs = Math.max(1, ...Object.values(purge.turnedMs).map(Math.round));
    this.#say(`${formatCount(total, "node")} turned within ${slowestMs} ms.`);
    this.#purgeId = undefined;
    this.#purgeButton.disabled = false;
    this.#showPoster(edition);
  }

  /** Loads the poster from the set-top box, past the browser's own cache. */
  async #showPoster(edition) {
    this.#shownEdition = edition;
    const answer = await fetch(posterPath, { cache: "no-store" }).catch(() => undefined);
    if (!answer?.ok) return;
    const image = /** @type {HTMLImageElement} */ (element("poster"));
    const old = image.src;
    image.src = URL.createObjectURL(await answer.blob());
    if (old) URL.revokeObjectURL(old);
  }

  #say(text) {
    element("purge-state").textContent = text;
  }
}
