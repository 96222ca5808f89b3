/**
 * One pass over an object as packets, one symbol each: its source symbols, repair symbols, or both.
 *
 * @module
 */

import {
  blockBytes,
  blockSymbols,
  type ErasureCode,
  type Partition,
  type RepairSource,
  writePayloadId,
} from "#fec";

/** What the packets of one object have in common. */
export interface PacketForm {
  readonly cut: Partition;
  readonly encodingId: number;
  /** Transfer bytes. */
  readonly body: Uint8Array;
  /** LCT header of all packets but the last. */
  readonly header: Uint8Array;
  /** LCT header of the last packet of a pass: it may close the object. */
  readonly last: Uint8Array;
}

/** Which symbol a packet carries. */
interface Place {
  readonly sbn: number;
  readonly esi: number;
}

/** The source symbols in order: what came is playable at once. */
export function* sourcePackets(form: PacketForm, { closes = true } = {}): Iterable<Uint8Array> {
  const { cut } = form;
  for (let sbn = 0; sbn < cut.blocks; sbn++) {
    const symbols = blockSymbols(cut, sbn);
    for (let esi = 0; esi < symbols; esi++) {
      const isLast = closes && sbn === cut.blocks - 1 && esi === symbols - 1;
      yield packetOf(form, { sbn, esi }, { symbol: sourceSymbol(form, sbn, esi), isLast });
    }
  }
}

/**
 * Repair symbols, all blocks in turn, so that a burst of losses hits each of them a little.
 *
 * @param counts How many of each block.
 * @param first How many were sent before.
 * @param most How many different ones a block has; then they begin anew.
 */
export function* repairPackets(
  form: PacketForm,
  code: ErasureCode,
  { counts, first, most }: {
    readonly counts: readonly number[];
    readonly first: number;
    readonly most: (symbols: number) => number;
  },
): Iterable<Uint8Array> {
  const { cut, body } = form;
  const sources: RepairSource[] = [];
  const turns = Math.max(0, ...counts);
  let left = counts.reduce((sum, count) => sum + count, 0);
  for (let turn = 0; turn < turns; turn++) {
    for (let sbn = 0; sbn < cut.blocks; sbn++) {
      if (turn >= counts[sbn]) continue;
      const { start, end } = blockBytes(cut, sbn);
      const block = { bytes: body.subarray(start, end), symbolBytes: cut.symbolBytes };
      sources[sbn] ??= code.encoder(block);
      const symbols = blockSymbols(cut, sbn);
      const esi = symbols + (first + turn) % most(symbols);
      const symbol = sources[sbn].repair(esi);
      yield packetOf(form, { sbn, esi }, { symbol, isLast: --left === 0 });
    }
  }
}

function sourceSymbol({ cut, body }: PacketForm, sbn: number, esi: number): Uint8Array {
  const start = blockBytes(cut, sbn).start + esi * cut.symbolBytes;
  return body.subarray(start, Math.min(start + cut.symbolBytes, body.length));
}

function packetOf(
  { encodingId, header, last }: PacketForm,
  place: Place,
  { symbol, isLast }: { readonly symbol: Uint8Array; readonly isLast: boolean },
): Uint8Array {
  const head = isLast ? last : header;
  const packet = new Uint8Array(head.length + 4 + symbol.length);
  packet.set(head);
  writePayloadId(packet, head.length, { encodingId, ...place });
  packet.set(symbol, head.length + 4);
  return packet;
}
