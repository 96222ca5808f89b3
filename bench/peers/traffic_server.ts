/**
 * Apache Traffic Server from Debian as a reverse proxy with its objects in the RAM cache, in a folder
 * of its own.
 *
 * @module
 */

/** Where it keeps its cache, and what it may use. */
export interface TrafficServerOptions {
  readonly port: number;
  readonly origin: string;
  /** A folder for everything that it writes. */
  readonly dir: string;
  readonly cacheBytes: number;
  /** 0 makes every hit read its storage. */
  readonly ramBytes: number;
}

/** What Debian's package installs where. */
const layout = {
  bindir: "/usr/bin",
  sbindir: "/usr/sbin",
  libdir: "/usr/lib/trafficserver",
  libexecdir: "/usr/lib/trafficserver/modules",
  includedir: "/usr/include",
};

/**
 * Writes its configuration.
 *
 * @returns The arguments of `traffic_server`.
 */
export async function configureTrafficServer(options: TrafficServerOptions): Promise<string[]> {
  const { port, origin, dir, cacheBytes, ramBytes } = options;
  const own = {
    prefix: dir,
    exec_prefix: dir,
    sysconfdir: `${dir}/etc`,
    datadir: `${dir}/data`,
    localstatedir: `${dir}/var`,
    runtimedir: `${dir}/run`,
    logdir: `${dir}/log`,
    cachedir: `${dir}/cache`,
  };
  for (const folder of Object.values(own)) await Deno.mkdir(folder, { recursive: true });
  const runroot = Object.entries({ ...own, ...layout }).map(([name, path]) => `${name}: ${path}\n`);
  await Deno.writeTextFile(`${dir}/runroot.yaml`, runroot.join(""));
  await Deno.writeTextFile(
    `${dir}/etc/remap.config`,
    `map http://127.0.0.1:${port}/ ${origin}/\n` +
      `map http://bench.test/ ${origin}/\n`,
  );
  await Deno.writeTextFile(`${dir}/etc/storage.config`, `${dir}/cache ${cacheBytes}\n`);
  await Deno.writeTextFile(
    `${dir}/etc/ip_allow.yaml`,
    "ip_allow:\n  - apply: in\n    ip_addrs: 127.0.0.1\n    action: allow\n    methods: ALL\n",
  );
  for (const file of ["plugin.config", "cache.config", "parent.config", "ssl_multicert.config"]) {
    await Deno.writeTextFile(`${dir}/etc/${file}`, "");
  }
  const records: Record<string, string | number> = {
    "http.server_ports": String(port),
    "admin.user_id": "#-1",
    "exec_thread.autoconfig": 0,
    "exec_thread.limit": 1,
    "accept_threads": 0,
    "cache.ram_cache.size": ramBytes,
    "cache.ram_cache_cutoff": 8 << 20,
    "cache.ram_cache.algorithm": 1,
    "log.logging_enabled": 0,
    "diags.debug.enabled": 0,
    "http.keep_alive_enabled_in": 1,
    "url_remap.remap_required": 1,
    // One fetch for all who wait, read while it is written.
    "cache.enable_read_while_writer": 1,
    "cache.max_doc_size": 0,
    "http.background_fill_active_timeout": 0,
    "http.background_fill_completed_threshold": "0.000000",
    "http.cache.open_write_fail_action": 5,
    "http.cache.max_open_write_retries": 1,
    "http.cache.max_open_read_retries": 500,
    "http.cache.open_read_retry_time": 10,
  };
  const lines = Object.entries(records).map(([name, value]) => {
    const type = typeof value === "number" ? "INT" : value.includes(".") ? "FLOAT" : "STRING";
    return `CONFIG proxy.config.${name} ${type} ${value}\n`;
  });
  await Deno.writeTextFile(`${dir}/etc/records.config`, lines.join(""));
  return [`--run-root=${dir}/runroot.yaml`];
}
