/**
 * Where a cache node keeps stored responses: by itself, or in the ATS or Varnish of its pod.
 *
 * @module
 */

import {
  BadValue,
  type HostPort,
  hostPort,
  isLoopback,
  optional,
  type Parameter,
  path,
  text,
  url,
} from "#config";

/** The home of stored responses. */
export type StoreChoice =
  | { readonly kind: "builtin" }
  | { readonly kind: "ats" | "varnish"; readonly url: URL };

/** The rows of the parameter table. */
export function storeParameters(upstreamPort: string) {
  return {
    store: storeChoice(),
    storeUpstream: loopback(
      upstreamPort,
      "Loopback address where ATS or Varnish comes for what it is to keep.",
    ),
    storeSecret: optional(
      path(
        undefined,
        "File with the secret that this node and its ATS or Varnish share; needed with them.",
        "FILE",
      ),
    ),
  };
}

function storeChoice(): Parameter<StoreChoice> {
  const help =
    "Where stored responses are kept: in this process, or in the ATS or Varnish of its " +
    "pod, by their loopback URL.";
  const address = url(undefined, help, ["http"]);
  const read = (value: string): StoreChoice => {
    if (value === "builtin") return { kind: "builtin" };
    const [, kind, where = ""] = /^(ats|varnish)=(.+)$/.exec(value) ?? [];
    if (kind !== "ats" && kind !== "varnish") {
      throw new BadValue(`need builtin, ats=URL or varnish=URL: received ${value}`);
    }
    const store = address.read(where);
    if (!isLoopback(store.hostname) || store.pathname !== "/") {
      throw new BadValue(`need a loopback URL without a path for the store: received ${where}`);
    }
    return { kind, url: store };
  };
  return { ...text("builtin", help), form: "builtin|ats=URL|varnish=URL", read };
}

function loopback(fallback: string, help: string): Parameter<HostPort> {
  const address = hostPort(fallback, help);
  const read = (value: string) => {
    const listen = address.read(value);
    if (!isLoopback(listen.hostname)) {
      throw new BadValue(`need a loopback address: received ${value}`);
    }
    return listen;
  };
  return { ...address, read };
}
