/**
 * Whether the origin was asked for each object once. Pure.
 *
 * @module
 */

import type { OriginStats } from "../lab.ts";
import type { Finding } from "./finding.ts";

/** Live playlists and manifests may be fetched again once their `max-age` of 1 s is over. */
const playlistSeconds = 1;
const isPlaylist = /\.(m3u8|mpd)$/;
/** What has new bytes with each edition. */
const isEdition = /^\/files\/(notice\.txt|poster\.svg)$/;

type Row = readonly [path: string, count: OriginStats["paths"][string]];

/**
 * Judges the origin's counts: once for what never changes, once per edition for what was purged, at
 * most once per second for playlists.
 *
 * @param seconds How long the system had been up when the counts were taken.
 */
export function originFindings(stats: OriginStats, seconds: number): Finding[] {
  const paths: Row[] = Object.entries(stats.paths).filter((row) => asked(row) > 0);
  const playlists = paths.filter(([path]) => isPlaylist.test(path));
  const editions = paths.filter(([path]) => isEdition.test(path));
  const lasting = paths.filter(([path]) => !isPlaylist.test(path) && !isEdition.test(path));
  const most = Math.ceil(seconds / playlistSeconds) + 1;
  return [
    finding("objects fetched from origin", lasting, {
      fits: (count) => count === 1,
      wanted: "each once",
    }),
    finding("purged objects fetched from origin", editions, {
      fits: (count) => count === stats.edition,
      wanted: `each once for each of ${stats.edition} editions`,
    }),
    finding("playlists fetched from origin", playlists, {
      fits: (count) => count >= 1 && count <= most,
      wanted: `each at most once a second (max-age=1): ${most} times in ${Math.round(seconds)} s`,
    }),
  ];
}

/** Requests that reached the origin: answered with bytes or with 304. */
function asked([, { full, notModified }]: Row): number {
  return full + notModified;
}

function finding(
  what: string,
  rows: readonly Row[],
  { fits, wanted }: { fits: (count: number) => boolean; wanted: string },
): Finding {
  const odd = rows.filter((row) => !fits(asked(row)));
  const requests = rows.reduce((total, row) => total + asked(row), 0);
  const counts = `${rows.length} objects, ${requests} fetches`;
  const examples = odd.slice(0, 4).map((row) => `${row[0]} ${asked(row)} times`).join(", ");
  return {
    what,
    holds: rows.length > 0 && odd.length === 0,
    wanted,
    seen: odd.length === 0 ? `${counts}; ${wanted}` : `${counts}; ${examples}`,
  };
}
