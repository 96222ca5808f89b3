/**
 * What the link between a node and control is told and what it tells.
 *
 * @module
 */

import type { BoxFigures, NodeFigures } from "./report.ts";
import type { NodeRecord, TopologySnapshot } from "./snapshot.ts";

/** Where a link stands; the words are metric labels. */
export type LinkState = "starting" | "registered" | "away" | "refused" | "stopped";

/** What went wrong; the words are metric labels. */
export type LinkFault = "away" | "refused" | "bad_answer" | "snapshot_write" | "snapshot_corrupt";

/** What a {@link ControlLink} needs. Times are in milliseconds. */
export interface ControlLinkOptions {
  /** Control's base URL. */
  readonly url: string | URL;
  /** Bearer token, when control wants one. */
  readonly token?: string;
  readonly node: NodeRecord;
  /** File for the last good snapshot. */
  readonly file: string;
  /** The purge sequence that this node has applied, asked at each heartbeat. */
  readonly appliedSeq: () => number;
  /** The log that the sequence belongs to: control counts no number of another log. */
  readonly logId?: () => string | undefined;
  /** What a cache or headend says of itself at each heartbeat. */
  readonly figures?: () => NodeFigures;
  /** What a set-top box says of itself. */
  readonly box?: () => BoxFigures;
  /** Called with the next hops that control finds unwell, when that changes. */
  readonly onUnavailable?: (ids: ReadonlySet<string>) => void;
  /** Called with the snapshot from disk at the start and with each newer one after it was kept. */
  readonly onSnapshot?: (snapshot: TopologySnapshot) => void;
  readonly onState?: (state: LinkState) => void;
  readonly onFault?: (fault: LinkFault, detail: string) => void;
  /** Time between heartbeats unless control says another; 2000 by default, with jitter. */
  readonly heartbeatMs?: number;
  /** Longest that one exchange with control may take; 5000 by default. */
  readonly timeoutMs?: number;
  /** Random number in [0, 1), for jitter. */
  readonly random?: () => number;
}
