/**
 * What the set-top box says of itself, for its page and for checks. Pure.
 *
 * @module
 */

import type { Store } from "#cache";
import type { AnnouncementView } from "./nip_announcement.ts";
import type { ChannelStatus } from "./reception.ts";
import type { Ledger } from "./ledger.ts";
import type { Service } from "./services.ts";

/** What a status is made of. */
export interface StatusParts {
  readonly name: string;
  readonly startedMs: number;
  readonly ledger: Ledger;
  readonly store: Pick<Store, "usedBytes" | "budgetBytes" | "count"> & {
    readonly evictedCount?: number;
  };
  readonly appliedSeq: number;
  readonly road: "multicast" | "unicast" | "none";
  readonly channels: readonly ChannelStatus[];
  /** With DVB-NIP: the network and the carrier that are received. */
  readonly nip?: AnnouncementView;
  readonly services: readonly ServiceView[];
  /** Objects being received or mended. */
  readonly arriving: number;
}

/** A service with its playlists sorted by kind. */
export interface ServiceView {
  readonly service: Service;
  /** HLS with MPEG-TS segments, and with CMAF. */
  readonly hls: string | undefined;
  readonly hlsCmaf: string | undefined;
}

/** An object within so many milliseconds makes a service one that is received. */
const recentMs = 10_000;

/** Returns the status as it is sent. All bytes are of objects, not of packets; times in ms. */
export function statusOf(parts: StatusParts, nowMs: number) {
  const { ledger, store, channels } = parts;
  const { expected, lost } = ledger.packets;
  return {
    name: parts.name,
    nowMs,
    startedMs: parts.startedMs,
    road: parts.road,
    bytes: { ...ledger.bytes },
    media: { ...ledger.media },
    served: { ...ledger.served },
    servedMedia: { ...ledger.servedMedia },
    requests: { ...ledger.requests },
    packets: { ...ledger.packets },
    loss: { last10s: ledger.lossShare(nowMs), total: expected === 0 ? 0 : lost / expected },
    objects: { ...ledger.objects, arriving: parts.arriving },
    repairs: { ...ledger.repairs },
    live: { ...ledger.live },
    cache: {
      usedBytes: store.usedBytes,
      budgetBytes: store.budgetBytes,
      objects: store.count,
      evicted: store.evictedCount ?? 0,
    },
    purge: { appliedSeq: parts.appliedSeq },
    nip: parts.nip,
    channels: channels.map((status) => channelView(status)),
    services: parts.services.map((view) => serviceView(view, channels, nowMs)),
    recent: ledger.recent,
  };
}

/** What `/api/status` sends. */
export type Status = ReturnType<typeof statusOf>;

function channelView({ channel, state, packets, objects, lastPacketMs }: ChannelStatus) {
  const { name, service, group, port, tsi } = channel;
  return { name, service, group, port, tsi, state, packets, objects, lastPacketMs };
}

function serviceView(
  { service, hls, hlsCmaf }: ServiceView,
  channels: readonly ChannelStatus[],
  nowMs: number,
) {
  const { id, uniqueIdentifier, name, lcn, dash } = service;
  const receiving = channels.some(({ channel, lastObjectMs }) =>
    channel.service === uniqueIdentifier && lastObjectMs !== undefined &&
    nowMs - lastObjectMs < recentMs
  );
  return {
    id,
    uniqueIdentifier,
    name,
    lcn,
    live: service.hls.length > 0 ? `/live/${id}.ts` : undefined,
    hls,
    hlsCmaf,
    dash: dash.at(0),
    state: receiving ? "receiving" : "waiting",
  };
}
