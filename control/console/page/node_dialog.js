/**
 * One node in detail, and the switch that drains it.
 *
 * @module
 */

import { byId, h, set } from "./dom.js";
import { formatAgo, formatBytes, formatCount, formatShare, healthOf } from "./model.js";
import { ask, may } from "./session.js";
import { signIcon } from "./topology.js";

/** The dialog; it shows one node at a time and follows it. */
export class NodeDialog {
  #dialog = byId("node-dialog");
  #id;
  #drained = false;

  /** @param {() => object} session Who looks. */
  constructor(session) {
    this.session = session;
    byId("node-close").addEventListener("click", () => this.#dialog.close());
    byId("node-drain").addEventListener("click", () => this.#switch());
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close(); // beside the card
    });
  }

  /** Shows a node. */
  open(id, state) {
    this.#id = id;
    set(byId("node-answer"), { text: "" });
    this.show(state);
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** Brings what is shown up to date. */
  show({ nodes, nowMs }) {
    const node = nodes.find(({ id }) => id === this.#id);
    if (node === undefined) {
      if (this.#dialog.open) this.#dialog.close();
      return;
    }
    const { sign, words } = healthOf(node);
    byId("node-sign").replaceChildren(signIcon(sign));
    set(byId("node-name"), { text: node.id });
    set(byId("node-health"), { text: `${node.role}, ${words}` });
    this.#facts(node, nowMs);
    this.#drained = node.status === "ADMIN_DOWN" || node.status === "OFFLINE";
    set(byId("node-drain"), {
      text: this.#drained ? "Bring back" : "Drain",
      hidden: !may(this.session(), "admin") || node.status === undefined,
    });
  }

  #facts(node, nowMs) {
    const { figures, rates } = node;
    const bytes = Object.entries(figures?.bytesByRoad ?? {});
    const facts = [
      ["Address", node.url],
      ["Admin port", node.adminUrl],
      ["Version", node.version],
      ["Cache group", node.cacheGroup ?? "none"],
      ["Region", node.region ?? "none"],
      ["Up for", figures ? formatAgo(figures.uptimeSeconds * 1000) : "not said"],
      ["Connections", figures ? formatCount(figures.connections) : "–"],
      ["Requests", figures ? formatCount(figures.requests) : "–"],
      [
        "Errors (5xx)",
        figures ? `${formatCount(figures.errors)}, ${formatShare(rates?.errorRatio)} lately` : "–",
      ],
      ["Hit ratio", formatShare(rates?.hitRatio)],
      ["Load", figures ? formatShare(figures.load) : "–"],
      [
        "Bytes",
        bytes.map(([road, count]) => `${road.replace("_", " ")} ${formatBytes(count)}`).join(
          ", ",
        ) || "–",
      ],
      [
        "Purges applied",
        `${formatCount(node.appliedSeq)}${node.seqLag > 0 ? `, ${node.seqLag} behind` : ""}`,
      ],
      ["Snapshot", `#${node.snapshot}`],
      [
        "Heard",
        `${formatAgo(nowMs - node.lastSeenMs)}${nowMs - node.lastSeenMs < 3000 ? "" : " ago"}`,
      ],
    ];
    byId("node-facts").replaceChildren(
      ...facts.flatMap(([name, text]) => [h("dt", { text: name }), h("dd", { text })]),
    );
  }

  async #switch() {
    const status = this.#drained ? "REPORTED" : "ADMIN_DOWN";
    const reason = this.#drained ? "" : `by ${this.session().name}`;
    try {
      await ask("PUT", `/nodes/${encodeURIComponent(this.#id)}/status`, { status, reason });
      set(byId("node-answer"), { text: this.#drained ? "It is back." : "It gets no new traffic." });
    } catch (error) {
      set(byId("node-answer"), { text: error.message });
    }
  }
}
