/**
 * The picture of "Downlink One": a satellite above the night side of a planet, sending light down.
 * Pure: frame number in, RGB out; every motion closes after one loop, so the clip has no seam.
 *
 * @module
 */

/** Pixels across; a multiple of 16, the size of an H.264 macroblock. */
export const width = 768;
/** Pixels down; a multiple of 16. */
export const height = 432;
/** Frames in one loop: ten segments of 48. */
export const loopFrames = 480;
/** Frames between two pulses of light, and between two beeps: 0.96 s at 25 frames a second. */
export const pulseFrames = 24;

const turn = 2 * Math.PI;
/** The planet: a circle so large that only its upper edge shows. */
const planet = { x: 384, y: 1250, radius: 915 };
/** How far the city lights move in one loop, in radians; the pattern repeats after as much. */
const lightsPeriod = 0.5;
const dish = { x: 262, y: 345 };

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Star extends Point {
  readonly light: number;
  readonly cycles: number;
  readonly phase: number;
}

/** A 32-bit linear congruential generator: the sky is the same in every build. */
function sequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

function smooth(from: number, to: number, value: number): number {
  const t = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return t * t * (3 - 2 * t);
}

const next = sequence(2026);
const stars: readonly Star[] = Array.from({ length: 190 }, () => ({
  x: next() * width,
  y: next() * 330,
  light: 40 + 215 * next() ** 4,
  cycles: 1 + Math.floor(next() * 6),
  phase: next() * turn,
}));
const cities = Array.from({ length: 70 }, () => ({
  angle: next() * lightsPeriod,
  depth: 8 + 90 * next() ** 1.4,
  light: 60 + 190 * next() ** 3,
  radius: 0.7 + 1.1 * next(),
}));

/** A frame under construction: additive light in 8-bit units, not yet clamped. */
class Canvas {
  readonly light = new Float32Array(width * height * 3);

  /** Adds a soft round light. */
  glow(at: Point, radius: number, [red, green, blue]: readonly number[], strength: number): void {
    const reach = Math.ceil(radius * 3);
    const [left, right] = [
      Math.max(0, Math.floor(at.x) - reach),
      Math.min(width - 1, at.x + reach),
    ];
    const [top, bottom] = [
      Math.max(0, Math.floor(at.y) - reach),
      Math.min(height - 1, at.y + reach),
    ];
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const square = ((x - at.x) ** 2 + (y - at.y) ** 2) / (radius * radius);
        this.add(x, y, strength * Math.exp(-square), red, green, blue);
      }
    }
  }

  add(x: number, y: number, strength: number, red: number, green: number, blue: number): void {
    const at = (y * width + x) * 3;
    this.light[at] += strength * red;
    this.light[at + 1] += strength * green;
    this.light[at + 2] += strength * blue;
  }

  /** Covers a convex shape given by its signed distance (negative inside) with one colour. */
  cover(
    box: readonly number[],
    distance: (x: number, y: number) => number,
    colour: readonly number[],
  ): void {
    for (let y = Math.max(0, Math.floor(box[1])); y < Math.min(height, box[3]); y++) {
      for (let x = Math.max(0, Math.floor(box[0])); x < Math.min(width, box[2]); x++) {
        const share = smooth(0.7, -0.7, distance(x, y));
        if (share === 0) continue;
        const at = (y * width + x) * 3;
        for (let band = 0; band < 3; band++) {
          this.light[at + band] += share * (colour[band] - this.light[at + band]);
        }
      }
    }
  }

  /** 8-bit RGB with a fixed dither of one step, so that gradients do not band. */
  finish(): Uint8ClampedArray {
    const rgb = new Uint8ClampedArray(this.light.length);
    for (let at = 0; at < rgb.length; at++) {
      const pixel = Math.floor(at / 3);
      const dither = ((Math.imul(pixel, 0x9e3779b1) >>> 16) & 255) / 255 - 0.5;
      rgb[at] = this.light[at] + dither;
    }
    return rgb;
  }
}

function sky(canvas: Canvas, loop: number): void {
  for (let y = 0; y < height; y++) {
    const down = y / height;
    for (let x = 0; x < width; x++) {
      const bend = 26 * Math.sin(turn * (x / 620 + loop)) +
        13 * Math.sin(turn * (x / 270 - 2 * loop));
      const rise = 232 + bend - y;
      const ray = 0.62 +
        0.38 * Math.sin(turn * (x / 74 + 3 * loop) + 2.2 * Math.sin(turn * (x / 190 - loop)));
      const veil = rise > 0 ? Math.exp(-rise / (58 + 30 * ray)) : Math.exp(rise / 12);
      const drift = 0.55 + 0.45 * Math.sin(turn * (x / 900 - loop) + 0.6);
      const aurora = veil * ray * drift;
      const high = smooth(0, 120, rise);
      canvas.add(x, y, 1, 4 + 6 * down, 6 + 16 * down, 18 + 34 * down);
      canvas.add(x, y, aurora, 20 + 96 * high, 150 - 96 * high, 104 + 58 * high);
    }
  }
  for (const star of stars) {
    const twinkle = 0.72 + 0.28 * Math.sin(turn * star.cycles * loop + star.phase);
    canvas.glow(star, 0.85, [1, 1, 1.12], star.light * twinkle);
  }
}

function ground(canvas: Canvas, loop: number): void {
  for (let y = 220; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const above = Math.hypot(x - planet.x, y - planet.y) - planet.radius;
      if (above < 1) {
        const depth = smooth(0, -110, above);
        const rim = Math.exp(above / 9);
        const at = (y * width + x) * 3;
        const share = smooth(1, -1, above);
        const colour = [5 + 40 * rim, 13 + 120 * rim - 6 * depth, 30 + 165 * rim - 14 * depth];
        for (let band = 0; band < 3; band++) {
          canvas.light[at + band] += share * (colour[band] - canvas.light[at + band]);
        }
      }
      if (above > -1) canvas.add(x, y, Math.exp(-above / 15), 28, 104, 168);
    }
  }
  for (const city of cities) {
    for (let copy = -3; copy <= 3; copy++) {
      const angle = city.angle + (copy - 0.5 - loop) * lightsPeriod;
      const radius = planet.radius - city.depth;
      const at = { x: planet.x + radius * Math.sin(angle), y: planet.y - radius * Math.cos(angle) };
      if (at.x < -8 || at.x > width + 8) continue;
      canvas.glow(at, city.radius, [1, 0.78, 0.42], city.light * Math.exp(-city.depth / 90));
    }
  }
}

/** Where the satellite is: a slow figure of eight. */
function satelliteAt(loop: number): Point {
  return { x: 548 + 34 * Math.sin(turn * loop), y: 116 + 11 * Math.sin(2 * turn * loop) };
}

function beam(canvas: Canvas, frame: number, from: Point): void {
  const [dx, dy] = [dish.x - from.x, dish.y - from.y];
  const length = Math.hypot(dx, dy);
  const beat = (frame % pulseFrames) / pulseFrames;
  for (let y = Math.floor(from.y); y < dish.y; y++) {
    for (let x = 200; x < 600; x++) {
      const along = ((x - from.x) * dx + (y - from.y) * dy) / length;
      if (along < 18 || along > length) continue;
      const aside = Math.abs((x - from.x) * dy - (y - from.y) * dx) / length;
      const cone = Math.exp(-((aside / (4 + 16 * along / length)) ** 2));
      // Two wave fronts a beat: the same picture one beat later, so the rhythm never jumps.
      const wave = Math.cos(turn * (2 * along / length - beat)) ** 8;
      const end = smooth(length, length - 24, along);
      canvas.add(x, y, end * cone * (0.13 + 0.5 * wave), 96, 214, 255);
    }
  }
  const flash = Math.exp(-beat * 5);
  canvas.glow(dish, 5 + 10 * flash, [0.45, 0.9, 1], 90 + 120 * flash);
  const ring = 6 + 60 * beat;
  for (let y = dish.y - 70; y < Math.min(height, dish.y + 70); y++) {
    for (let x = dish.x - 70; x < dish.x + 70; x++) {
      const off = Math.hypot(x - dish.x, (y - dish.y) * 2.4) - ring;
      canvas.add(x, y, Math.exp(-off * off / 5) * (1 - beat) ** 2 * 0.6, 90, 210, 255);
    }
  }
}

function satellite(canvas: Canvas, loop: number, at: Point): void {
  const tilt = -0.32 + 0.05 * Math.sin(turn * loop);
  const [cos, sin] = [Math.cos(tilt), Math.sin(tilt)];
  const local = (x: number, y: number) => [
    (x - at.x) * cos + (y - at.y) * sin,
    (y - at.y) * cos - (x - at.x) * sin,
  ];
  const box = [at.x - 84, at.y - 50, at.x + 84, at.y + 50];
  const slab =
    (cx: number, cy: number, halfWidth: number, halfHeight: number) => (x: number, y: number) => {
      const [u, v] = local(x, y);
      return Math.max(Math.abs(u - cx) - halfWidth, Math.abs(v - cy) - halfHeight);
    };
  canvas.glow(at, 34, [0.4, 0.7, 1], 26);
  canvas.cover(box, slab(0, 0, 70, 1.1), [150, 160, 178]);
  for (const side of [-1, 1]) {
    for (let cell = 0; cell < 3; cell++) {
      const sheen = 0.5 + 0.5 * Math.sin(turn * (3 * loop + cell / 9 + side / 5));
      const colour = [26 + 60 * sheen, 62 + 84 * sheen, 138 + 90 * sheen];
      canvas.cover(box, slab(side * (26 + cell * 17), 0, 7.6, 11.5), colour);
    }
  }
  canvas.cover(box, slab(0, 0, 11, 14), [214, 196, 150]);
  canvas.cover(box, slab(0, -5, 11, 4), [238, 228, 196]);
  canvas.cover(box, (x, y) => {
    const [u, v] = local(x, y);
    return Math.max(Math.hypot(u + 9, v - 17) - 11, -(v - 17) - 3 - 0.4 * u);
  }, [228, 236, 246]);
  canvas.glow({ x: at.x - 8, y: at.y + 20 }, 4, [0.6, 0.95, 1], 150);
}

/**
 * Draws one frame.
 *
 * @param frame Any whole number from 0; frame `loopFrames` is frame 0 again.
 * @returns `width * height * 3` bytes, RGB, row by row from the top.
 */
export function drawFrame(frame: number): Uint8ClampedArray {
  const loop = (frame % loopFrames) / loopFrames;
  const canvas = new Canvas();
  const at = satelliteAt(loop);
  sky(canvas, loop);
  ground(canvas, loop);
  beam(canvas, frame, at);
  satellite(canvas, loop, at);
  return canvas.finish();
}
