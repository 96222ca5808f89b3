/**
 * Small drawings that stand in a line: curves and bars.
 *
 * @module
 */

import { set, svg } from "./dom.js";
import { curve } from "./model.js";

/** Makes an empty curve. */
export function makeSpark(width = 96, height = 22) {
  return svg(
    "svg",
    {
      class: "spark",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    svg("path", { class: "spark-area" }),
    svg("path", { class: "spark-line" }),
  );
}

/** Gives a curve its values. */
export function updateSpark(spark, values) {
  const { width, height } = spark.viewBox.baseVal;
  const { line, area } = curve(values, width, height);
  set(spark.children[0], { d: area });
  set(spark.children[1], { d: line });
}

/** Makes an empty bar of shares. */
export function makeShareBar() {
  return svg("svg", {
    class: "share-bar",
    viewBox: "0 0 100 8",
    preserveAspectRatio: "none",
    role: "img",
  });
}

/**
 * Gives a bar its shares.
 *
 * @param {Element} bar
 * @param {readonly { road: string, share: number }[]} shares
 * @param {string} words What a screen reader says instead.
 */
export function updateShareBar(bar, shares, words) {
  set(bar, { "aria-label": words });
  let x = 0;
  bar.replaceChildren(
    svg("rect", { class: "road-ground", x: 0, y: 0, width: 100, height: 8 }),
    ...shares.map(({ road, share }) => {
      const rect = svg("rect", {
        class: "road-bar",
        "data-road": road,
        x: x * 100,
        y: 0,
        width: share * 100,
        height: 8,
      });
      x += share;
      return rect;
    }),
  );
}
