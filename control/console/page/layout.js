/**
 * Where the topology's boxes stand: tiers side by side on a wide screen, one below the other on a narrow
 * one. Pure.
 *
 * @module
 */

/** Sizes in CSS pixels. */
export const sizes = {
  title: 40,
  row: 22,
  padding: 10,
  gap: 12,
  tierTitle: 26,
  /** Nodes of a group that are listed by name; more are shown as signs alone. */
  listed: 6,
  dot: 18,
};

/** How wide the room between tiers is, for the links. */
const lane = { wide: 54, widest: 150, narrow: 34 };
/** No box of a tier is wider on a wide screen. */
const widest = 260;
const narrowest = 620;

/**
 * @typedef {{ x: number, y: number, width: number, height: number }} Box
 * @typedef {{ width: number, height: number, narrow: boolean, boxes: Map<string, Box>, titles: { id: string, title: string, x: number, y: number }[] }} Layout
 */

/**
 * Places every group.
 *
 * @param {readonly { id: string, title: string, groups: readonly object[] }[]} tiers
 * @param {number} width Of the whole drawing.
 * @returns {Layout}
 */
export function layOut(tiers, width) {
  return width < narrowest ? stack(tiers, width) : columns(tiers, width);
}

/**
 * The height of a group's box.
 *
 * @param {{ nodes: readonly object[], region?: object }} group
 * @param {number} width
 */
export function heightOf({ nodes, region }, width) {
  const inner = width - 2 * sizes.padding;
  if (region !== undefined) return sizes.title + 2 * sizes.row + 6;
  if (nodes.length === 0) return sizes.title + 4;
  const rows = nodes.length <= sizes.listed
    ? nodes.length * sizes.row
    : Math.ceil(nodes.length / Math.max(1, Math.floor(inner / sizes.dot))) * sizes.dot + 4;
  return sizes.title + rows + sizes.padding - 2;
}

function columns(tiers, width) {
  const shares = tiers.map(({ id }) => id === "origin" ? 0.55 : 1);
  const sum = shares.reduce((sum, share) => sum + share, 0);
  const lanes = tiers.length - 1;
  const unit = Math.min(widest, (width - lane.wide * lanes) / sum);
  const between = lanes === 0 ? 0 : Math.min(lane.widest, (width - unit * sum) / lanes);
  const boxes = new Map();
  const titles = [];
  const heights = tiers.map(({ groups }, i) =>
    groups.reduce((sum, group) => sum + heightOf(group, shares[i] * unit) + sizes.gap, -sizes.gap)
  );
  const most = Math.max(...heights);
  let x = (width - unit * sum - between * lanes) / 2;
  for (const [i, tier] of tiers.entries()) {
    const boxWidth = shares[i] * unit;
    let y = sizes.tierTitle + (most - heights[i]) / 2;
    titles.push({ id: tier.id, title: tier.title, x, y: 14 });
    for (const group of tier.groups) {
      const height = heightOf(group, boxWidth);
      boxes.set(group.id, { x, y, width: boxWidth, height });
      y += height + sizes.gap;
    }
    x += boxWidth + between;
  }
  return { width, height: sizes.tierTitle + most + 2, narrow: false, boxes, titles };
}

function stack(tiers, width) {
  const boxes = new Map();
  const titles = [];
  let y = 0;
  for (const tier of tiers) {
    titles.push({ id: tier.id, title: tier.title, x: 0, y: y + 14 });
    y += sizes.tierTitle;
    const across = Math.min(2, tier.groups.length);
    const boxWidth = (width - sizes.gap * (across - 1)) / across;
    for (let first = 0; first < tier.groups.length; first += across) {
      const row = tier.groups.slice(first, first + across);
      const height = Math.max(...row.map((group) => heightOf(group, boxWidth)));
      for (const [i, group] of row.entries()) {
        boxes.set(group.id, { x: i * (boxWidth + sizes.gap), y, width: boxWidth, height });
      }
      y += height + sizes.gap;
    }
    y += lane.narrow - sizes.gap;
  }
  return { width, height: y - lane.narrow + 2, narrow: true, boxes, titles };
}

/**
 * The curve of a link between two boxes, from the side that faces the other.
 *
 * @param {Box} from
 * @param {Box} to
 * @param {boolean} narrow
 * @param {number} [shift] Moves both ends along their side, so that two links do not lie on each other.
 */
export function linkPath(from, to, narrow, shift = 0) {
  if (from.x === to.x && !narrow) return besidePath(from, to);
  if (narrow && from.y === to.y) return abovePath(from, to);
  const [start, end] = narrow
    ? [[middle(from.x, from.width) + shift, from.y], [
      middle(to.x, to.width) + shift,
      to.y + to.height,
    ]]
    : [[from.x, middle(from.y, from.height) + shift], [
      to.x + to.width,
      middle(to.y, to.height) + shift,
    ]];
  const [x1, y1] = start;
  const [x2, y2] = end;
  const bend = narrow
    ? `${x1} ${(y1 + y2) / 2} ${x2} ${(y1 + y2) / 2}`
    : `${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2}`;
  return `M${x1} ${y1}C${bend} ${x2} ${y2}`;
}

/** Between two boxes of one column: around their left side. */
function besidePath(from, to) {
  const x = from.x;
  const [y1, y2] = [middle(from.y, from.height), middle(to.y, to.height)];
  return `M${x} ${y1 + 6}C${x - 26} ${y1} ${x - 26} ${y2} ${x} ${y2 - 6}`;
}

/** Between two boxes of one row: over their top. */
function abovePath(from, to) {
  const [x1, x2] = [middle(from.x, from.width), middle(to.x, to.width)];
  return `M${x1} ${from.y}C${x1} ${from.y - 14} ${x2} ${from.y - 14} ${x2} ${to.y}`;
}

function middle(start, length) {
  return start + length / 2;
}
