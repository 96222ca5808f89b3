/**
 * What all connections of one server share.
 *
 * @module
 */

import type { CoarseClock } from "./coarse_clock.ts";
import type { DateLine } from "./date_line.ts";
import type { Http1Event } from "./event.ts";
import type { FastLane, Handler } from "./exchange.ts";
import type { Http1Limits } from "./limits.ts";

/** The server as its connections see it. */
export interface Front {
  readonly handler: Handler;
  readonly fastLane: FastLane | undefined;
  readonly limits: Http1Limits;
  readonly dates: DateLine;
  readonly clock: CoarseClock;
  readonly secure: boolean;
  /** Answers from now on end their connection. */
  readonly draining: boolean;
  emit(event: Http1Event): void;
}
