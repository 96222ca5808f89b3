/**
 * Draws the topology: groups as boxes, nodes as signs whose shape and colour both say their health.
 *
 * @module
 */

import { svg } from "./dom.js";
import { layOut, linkPath, sizes } from "./layout.js";
import {
  countOf,
  formatShare,
  healthOf,
  homeRoads,
  roadShares,
  shortHealth,
  topologyGraph,
  worstSign,
} from "./model.js";

/** The sign of a health around a point: circle, triangle, diamond, ring. */
export function signShape(sign, x = 8, y = 8, size = 5.5) {
  const shape = {
    good: () => svg("circle", { cx: x, cy: y, r: size }),
    late: () => svg("path", { d: polygon(x, y + size * 0.2, size * 1.25, 3) }),
    bad: () => svg("path", { d: polygon(x, y, size * 1.3, 4) }),
    off: () => svg("circle", { cx: x, cy: y, r: size - 1, class: "hollow" }),
  }[sign]();
  shape.setAttribute("data-sign", sign);
  return shape;
}

/** A sign that stands in a line of text. */
export function signIcon(sign) {
  return svg(
    "svg",
    { class: "sign", viewBox: "0 0 16 16", width: 14, height: 14, "aria-hidden": "true" },
    signShape(sign),
  );
}

function polygon(x, y, radius, corners) {
  const points = Array.from({ length: corners }, (_, i) => {
    const angle = -Math.PI / 2 + (i * 2 * Math.PI) / corners;
    return `${(x + radius * Math.cos(angle)).toFixed(1)} ${
      (y + radius * Math.sin(angle)).toFixed(1)
    }`;
  });
  return `M${points.join("L")}Z`;
}

/**
 * Draws everything anew into `place`.
 *
 * @param {Element} place
 * @param {{ topology: object, nodes: object[], regions: object[] }} state
 * @param {(id: string) => void} onNode Called when somebody wants to see a node.
 */
export function drawTopology(place, { topology, nodes, regions }, onNode) {
  const graph = topologyGraph(topology, nodes, regions);
  const layout = layOut(graph.tiers, Math.max(280, place.clientWidth));
  const groups = graph.tiers.flatMap((tier) => tier.groups);
  const drawing = svg(
    "svg",
    {
      width: layout.width,
      height: layout.height,
      viewBox: `0 0 ${layout.width} ${layout.height}`,
      role: "group",
      "aria-label": `Topology: ${countOf(nodes.length, "node")}`,
    },
    svg("g", { class: "links" }, ...graph.links.flatMap((link) => linkOf(link, layout))),
    svg("g", { class: "tiers" }, ...layout.titles.map(tierTitle)),
    ...groups.map((group) => groupBox(group, layout.boxes.get(group.id), onNode)),
  );
  const focused = document.activeElement?.getAttribute?.("data-node");
  place.replaceChildren(drawing);
  if (focused) drawing.querySelector(`[data-node="${CSS.escape(focused)}"]`)?.focus();
}

function linkOf({ from, to, kind }, { boxes, narrow }) {
  const [start, end] = [boxes.get(from), boxes.get(to)];
  if (!start || !end) return [];
  const shift = { satellite: 8, home: -5 }[kind] ?? 0;
  return [
    svg("path", { class: "link", "data-kind": kind, d: linkPath(start, end, narrow, shift) }),
  ];
}

function tierTitle({ title, x, y }) {
  return svg("text", { class: "tier-title", x, y, text: title });
}

function groupBox(group, box, onNode) {
  const { x, y, width, height } = box;
  const signs = group.nodes.map((node) => healthOf(node).sign);
  const worst = group.nodes.length > 0 ? worstSign(signs) : undefined;
  return svg(
    "g",
    { class: "group", transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` },
    svg("rect", { class: "group-box", width, height, rx: 8, "data-worst": worst }),
    clipped("group-title", group.title, 12, 19, width - 24),
    clipped("group-note", group.note || noteOf(group), 12, 34, width - 24),
    ...inside(group, width, onNode),
  );
}

function noteOf({ nodes, region }) {
  if (region !== undefined) return countOf(region.boxes, "set-top box", "set-top boxes");
  return nodes.length === 0 ? "no node" : countOf(nodes.length, "node");
}

function inside(group, width, onNode) {
  if (group.region !== undefined) return homeInside(group.region, width);
  if (group.nodes.length > sizes.listed) return dots(group.nodes, width, onNode);
  return group.nodes.map((node, i) => nodeRow(node, sizes.title + i * sizes.row, width, onNode));
}

function nodeRow(node, y, width, onNode) {
  const { sign, words } = healthOf(node);
  const ratio = node.rates?.hitRatio;
  const value = sign !== "good" ? shortHealth(node) : ratio === undefined ? "" : formatShare(ratio);
  // Of the name and a good figure, the name has the room.
  const fits = sign !== "good" || (node.id.length + value.length) * 7.3 < width - 46;
  const right = fits ? value : "";
  const room = width - 40 - right.length * 7.4;
  return svg(
    "g",
    nodeButton(node, `${right}, ${words}`, onNode, { transform: `translate(6 ${y})` }),
    svg("rect", { class: "node-hit", width: width - 12, height: sizes.row - 1, rx: 5 }),
    signShape(sign, 12, sizes.row / 2),
    clipped("node-name", node.id, 24, 15, room),
    " ", // two words, also when read aloud
    svg("text", {
      class: "node-value",
      "data-sign": sign,
      x: width - 18,
      y: 15,
      "text-anchor": "end",
      text: right,
    }),
  );
}

function dots(nodes, width, onNode) {
  const across = Math.max(1, Math.floor((width - 2 * sizes.padding) / sizes.dot));
  return nodes.map((node, i) => {
    const x = sizes.padding + (i % across) * sizes.dot + sizes.dot / 2;
    const y = sizes.title + Math.floor(i / across) * sizes.dot + sizes.dot / 2;
    const { sign, words } = healthOf(node);
    return svg(
      "g",
      nodeButton(node, words, onNode, {}),
      svg("rect", { class: "node-hit", x: x - 9, y: y - 9, width: 18, height: 18, rx: 5 }),
      signShape(sign, x, y, 5),
    );
  });
}

function nodeButton({ id }, words, onNode, more) {
  const open = () => onNode(id);
  return {
    ...more,
    class: "node",
    tabindex: 0,
    role: "button",
    "data-node": id,
    "aria-label": `${id} ${words}`,
    onclick: open,
    onkeydown: (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open();
    },
  };
}

function homeInside({ late, lossRatio, bytesByRoad, packetsExpected }, width) {
  const shares = roadShares(bytesByRoad, homeRoads);
  const inner = width - 24;
  let x = 12;
  const bars = shares.map(({ road, share }) => {
    const bar = svg("rect", {
      class: "road-bar",
      "data-road": road,
      x: x.toFixed(1),
      y: sizes.title + 6,
      width: Math.max(1.5, share * inner).toFixed(1),
      height: 7,
    });
    x += share * inner;
    return bar;
  });
  const loss = packetsExpected === 0 ? "no packets yet" : `${formatShare(lossRatio)} lost`;
  const text = late > 0 ? `${loss}, ${late} late` : loss;
  return [
    svg("rect", {
      class: "road-ground",
      x: 12,
      y: sizes.title + 6,
      width: inner,
      height: 7,
      rx: 3,
    }),
    ...bars,
    clipped("group-note", text, 12, sizes.title + 34, inner),
  ];
}

/** Text that ends with an ellipsis where there is no room; its whole is its title. */
function clipped(className, text, x, y, width) {
  const most = Math.floor(width / (className === "group-title" ? 8 : 7.2));
  const shown = text.length <= most ? text : `${text.slice(0, Math.max(1, most - 1))}…`;
  const element = svg("text", { class: className, x, y, text: shown });
  if (shown !== text) element.append(svg("title", { text }));
  return element;
}
