/** FEC object transmission information of the Compact No-Code scheme and its kin. */
export interface FecOti {
  readonly encodingId: number;
  readonly transferLength: number;
  readonly symbolBytes: number;
  readonly maxSourceBlockSymbols: number;
}
