/**
 * The connection to Redis or DragonflyDB.
 *
 * @module
 */

import { isIP } from "node:net";
import process from "node:process";
import type { Redis, RedisOptions } from "ioredis";
import { leaseCommand, leaseScript } from "./lease_script.ts";

/** Where Redis is, and who we are to it. */
export interface RedisPlace {
  /** `redis://HOST[:PORT][/DB]`, or `rediss://` for TLS; without user and password. */
  readonly url: URL;
  readonly username: string | undefined;
  /** Never written anywhere. */
  readonly password: string | undefined;
  /** PEM certificates that the server's must be signed by; the public ones when absent. */
  readonly ca: string | undefined;
}

/** The commands that we give. */
export interface LeaseClient extends Redis {
  readonly [leaseCommand]: (key: string, ...args: (string | number)[]) => Promise<unknown>;
}

/** Longest pause between two attempts to connect. */
const longestRetryMs = 1000;
/** A connection on which nothing was heard for as long, though something was asked, is given up. */
const deadMs = 2000;

/** Makes a client that is not connected yet; its `error` events are the caller's to hear. */
export async function redisClient(place: RedisPlace, answerMs: number): Promise<LeaseClient> {
  const { url, username, password, ca } = place;
  const { Redis } = await withoutEnvironment(() => import("ioredis"));
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const options: RedisOptions = {
    host,
    port: Number(url.port || 6379),
    db: Number(url.pathname.slice(1) || 0),
    username,
    password,
    // An IP address is no server name.
    tls: url.protocol === "rediss:" ? { ca, ...isIP(host) ? {} : { servername: host } } : undefined,
    lazyConnect: true,
    connectTimeout: 2000,
    commandTimeout: answerMs,
    socketTimeout: deadMs,
    // What cannot be asked now is not asked later: its answer would be about another time.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(longestRetryMs, 50 * 2 ** Math.min(attempt, 5)),
    connectionName: "downlink",
  };
  const client = new Redis(options);
  client.defineCommand(leaseCommand, { numberOfKeys: 1, lua: leaseScript });
  return client as LeaseClient;
}

/**
 * Imports what reads all environment variables while it is loaded (the `debug` package under ioredis),
 * which our programs are not permitted to do: it sees none.
 */
async function withoutEnvironment<Module>(load: () => Promise<Module>): Promise<Module> {
  const own = Object.getOwnPropertyDescriptor(process, "env");
  if (own === undefined || !own.configurable) return await load();
  Object.defineProperty(process, "env", {
    ...own,
    ...(own.get ? { get: () => ({}) } : { value: {} }),
  });
  try {
    return await load();
  } finally {
    Object.defineProperty(process, "env", own);
  }
}
