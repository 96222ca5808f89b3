/**
 * The moving chart: bit rate by road over the last minute, one area on the other.
 *
 * @module
 */

import { roads } from "./model.js";

/** How much time the chart shows. */
export const chartMs = 60_000;
/** Segments come in bursts of some seconds; means over this long do not show them as peaks. */
const meanMs = 3_840;
/** So many means, each a little earlier, are averaged again, which rounds off their edges. */
const means = 6;
/** The chart lags by so much that the newest sample is there before it is drawn. */
const lagMs = 900;
const pointsAcross = 120;

/** Draws one history into one canvas, again and again while the page is seen. */
export class Chart {
  #canvas;
  #history;
  #context;
  #colours;
  #topBits = 2e6;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./model.js").History} history
   */
  constructor(canvas, history) {
    this.#canvas = canvas;
    this.#history = history;
    this.#context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    this.#colours = roads.map((road) => style.getPropertyValue(`--${road}`).trim());
  }

  /** Draws until the page goes away; calm (once a second) for those who asked for less motion. */
  run() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    let lastMs = 0;
    const frame = (/** @type {number} */ atMs) => {
      // 30 frames a second are smooth enough, and leave a small box its processor.
      if (atMs - lastMs >= (calm.matches ? 1000 : 33)) {
        lastMs = atMs;
        this.draw(Date.now() - lagMs);
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  /** @param {number} endMs The moment at the right edge. */
  draw(endMs) {
    const { width, height } = this.#size();
    const context = this.#context;
    context.clearRect(0, 0, width, height);
    const stepMs = chartMs / pointsAcross;
    // Points sit on whole steps of time, so that the curve slides and does not wobble.
    const firstMs = Math.floor((endMs - chartMs) / stepMs) * stepMs;
    const xOf = (/** @type {number} */ atMs) => width * (1 - (endMs - atMs) / chartMs);
    const stacks = this.#stacks(firstMs, stepMs, endMs);
    const peak = Math.max(...stacks[stacks.length - 1].map(({ top }) => top), 1e6);
    this.#topBits += (peak * 1.15 - this.#topBits) * 0.08;
    const yOf = (/** @type {number} */ bits) => height - height * bits / this.#topBits;
    this.#grid(width, yOf);
    stacks.forEach((stack, index) => this.#area(stack, this.#colours[index], xOf, yOf));
  }

  /** For each road, the lower and the upper edge of its area. */
  #stacks(firstMs, stepMs, endMs) {
    const times = Array.from({ length: pointsAcross + 2 }, (_, index) => firstMs + index * stepMs);
    times.push(endMs);
    let below = times.map(() => 0);
    return roads.map((road) => {
      const stack = times.map((atMs, index) => {
        const shownMs = Math.min(atMs, endMs);
        const bits = this.#smoothRate(road, shownMs);
        return { atMs: shownMs, base: below[index], top: below[index] + bits };
      });
      below = stack.map(({ top }) => top);
      return stack;
    });
  }

  #smoothRate(road, atMs) {
    let bits = 0;
    for (let index = 0; index < means; index++) {
      bits += this.#history.rate(road, atMs - index * meanMs / means, meanMs) / means;
    }
    return bits;
  }

  #area(stack, colour, xOf, yOf) {
    const context = this.#context;
    context.beginPath();
    for (const { atMs, top } of stack) context.lineTo(xOf(atMs), yOf(top));
    for (const { atMs, base } of [...stack].reverse()) context.lineTo(xOf(atMs), yOf(base));
    context.closePath();
    context.globalAlpha = 0.3;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
    context.beginPath();
    stack.forEach(({ atMs, base, top }, index) => {
      // No line where the road brought nothing: it would lie on the road below.
      const draws = index > 0 && (top > base || stack[index - 1].top > stack[index - 1].base);
      if (draws) context.lineTo(xOf(atMs), yOf(top));
      else context.moveTo(xOf(atMs), yOf(top));
    });
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.stroke();
  }

  #grid(width, yOf) {
    const context = this.#context;
    const stepBits = this.#topBits > 12e6 ? 5e6 : this.#topBits > 5e6 ? 2e6 : 1e6;
    context.font = "500 11px system-ui, sans-serif";
    context.textBaseline = "bottom";
    for (let bits = stepBits; bits < this.#topBits; bits += stepBits) {
      const y = Math.round(yOf(bits)) + 0.5;
      context.fillStyle = "rgb(255 255 255 / 8%)";
      context.fillRect(0, y, width, 1);
      context.fillStyle = "rgb(255 255 255 / 45%)";
      if (y > 14) context.fillText(`${bits / 1e6} Mbit/s`, 4, y - 1);
    }
  }

  /** Keeps one canvas pixel on one device pixel. */
  #size() {
    const canvas = this.#canvas;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (
      canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)
    ) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return { width, height };
  }
}
