/**
 * Carries out a plan on symbols.
 *
 * @module
 */

import { addMultiple, addSymbols, foldSymbol, scaleSymbol, type SymbolHeap } from "./octets.ts";
import { operations, type Plan } from "./plan.ts";

/** Does all operations of a plan; the heap has the symbols at their places, and room for the rest. */
export function replay({ steps }: Plan, heap: SymbolHeap): void {
  let at = 0;
  while (at < steps.length) {
    const operation = steps[at];
    const to = steps[at + 1];
    if (operation <= operations.add) {
      const count = steps[at + 2];
      addUp(heap, to, { steps, first: at + 3, count, set: operation === operations.set });
      at += 3 + count;
    } else if (operation === operations.fold) {
      foldSymbol(heap, to, steps[at + 2], steps[at + 3], steps[at + 4]);
      at += 5;
    } else if (operation === operations.addMultiple) {
      addMultiple(heap, to, steps[at + 2], steps[at + 3]);
      at += 4;
    } else {
      scaleSymbol(heap, to, steps[at + 2]);
      at += 3;
    }
  }
}

function addUp(
  heap: SymbolHeap,
  to: number,
  { steps, first, count, set }: { steps: Int32Array; first: number; count: number; set: boolean },
): void {
  if (!set) return addSymbols(heap, to, steps, first, count);
  const { words, length } = heap;
  if (count === 0) {
    words.fill(0, to * length, (to + 1) * length);
    return;
  }
  const from = steps[first] * length;
  words.copyWithin(to * length, from, from + length);
  addSymbols(heap, to, steps, first + 1, count - 1);
}
