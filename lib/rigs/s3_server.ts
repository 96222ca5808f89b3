/**
 * A real S3 server: Ceph's gateway over one object store in memory, all on loopback, from Debian's
 * packages. It takes about a dozen seconds to start.
 *
 * @module
 */

import { freePort } from "./store_server.ts";

/** A running S3 server with one identity. */
export interface S3Server {
  readonly endpoint: URL;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  [Symbol.asyncDispose](): Promise<void>;
}

const programs = ["ceph-mon", "ceph-mgr", "ceph-osd", "radosgw", "radosgw-admin", "monmaptool"];

/** What is missing to run it here, for the name of a test; `undefined` when nothing is. */
export function missingForS3(): string | undefined {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  const has = (name: string) =>
    folders.some((folder) => {
      try {
        return Deno.statSync(`${folder}/${name}`).isFile;
      } catch {
        return false;
      }
    });
  if (Deno.uid() !== 0) return "needs root";
  const missing = programs.filter((name) => !has(name));
  return missing.length === 0 ? undefined : `needs ${missing.join(" ")}`;
}

/** Starts the server in a folder of its own. */
export async function startS3(): Promise<S3Server> {
  const dir = await Deno.makeTempDir({ prefix: "downlink-s3-" });
  const folders = ["mon", "osd0", "mgr", "rgw", "log", "run", "crash"];
  for (const folder of folders) await Deno.mkdir(`${dir}/${folder}`);
  const [v2, v1, port] = [freePort(), freePort(), freePort()];
  const fsid = crypto.randomUUID();
  await Deno.writeTextFile(`${dir}/ceph.conf`, configuration(dir, { fsid, v2, v1, port }));
  const server: S3Server = {
    endpoint: new URL(`http://127.0.0.1:${port}`),
    accessKeyId: "AKDOWNLINKTEST",
    secretAccessKey: "downlink/test+secret",
    async [Symbol.asyncDispose]() {
      await stopAll(`${dir}/run`);
      await Deno.remove(dir, { recursive: true });
    },
  };
  try {
    await startAll(dir, { fsid, monitors: `[v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]`, server });
    return server;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

function configuration(
  dir: string,
  { fsid, v2, v1, port }: { fsid: string; v2: number; v1: number; port: number },
): string {
  return `[global]
fsid = ${fsid}
mon_initial_members = a
mon_host = [v2:127.0.0.1:${v2},v1:127.0.0.1:${v1}]
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
ms_mon_client_mode = crc
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_warn = 1
mon_data_avail_crit = 1
mon_max_pg_per_osd = 5000
run_dir = ${dir}/run
admin_socket = ${dir}/run/$name.asok
pid_file = ${dir}/run/$name.pid
log_file = ${dir}/log/$name.log
crash_dir = ${dir}/crash
osd_objectstore = memstore
memstore_device_bytes = 1073741824
[mon.a]
mon_data = ${dir}/mon
[osd.0]
osd_data = ${dir}/osd0
[mgr.x]
mgr_data = ${dir}/mgr
[client]
rgw_data = ${dir}/rgw
rgw_frontends = beast endpoint=127.0.0.1:${port}
`;
}

async function startAll(
  dir: string,
  { fsid, monitors, server }: { fsid: string; monitors: string; server: S3Server },
): Promise<void> {
  const conf = ["-c", `${dir}/ceph.conf`];
  const user = ["--setuser", "root", "--setgroup", "root"];
  const map = `${dir}/monmap`;
  await run(dir, "monmaptool", ["--create", "--fsid", fsid, "--addv", "a", monitors, map]);
  await run(dir, "ceph-mon", [...conf, "--mkfs", "-i", "a", "--monmap", map]);
  await run(dir, "ceph-mon", [...conf, "-i", "a", ...user]);
  await run(dir, "ceph-mgr", [...conf, "-i", "x", ...user]);
  const osd = crypto.randomUUID();
  await run(dir, "ceph", [...conf, "osd", "new", osd, "0"]);
  await run(dir, "ceph-osd", [...conf, "-i", "0", "--mkfs", "--osd-uuid", osd]);
  await run(dir, "ceph-osd", [...conf, "-i", "0", ...user]);
  const place = ["root=default", "host=test"];
  await run(dir, "ceph", [...conf, "osd", "crush", "add", "osd.0", "1.0", ...place]);
  const identity = [`--access-key=${server.accessKeyId}`, `--secret-key=${server.secretAccessKey}`];
  const create = ["user", "create", "--uid=t", "--display-name=t", ...identity];
  await run(dir, "radosgw-admin", [...conf, ...create]);
  await run(dir, "radosgw", [...conf, "-n", "client.admin", ...user]);
  for (let tries = 0; tries < 400; tries++) {
    const answer = await fetch(server.endpoint).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Cannot test with S3: need it to answer on ${server.endpoint.host}`);
}

async function run(dir: string, binary: string, args: readonly string[]): Promise<void> {
  // Daemons keep what they inherit open: their output goes to a file.
  const script = `exec "$0" "$@" >>${dir}/log/start.log 2>&1 </dev/null`;
  const command = new Deno.Command("sh", { args: ["-c", script, binary, ...args], stdin: "null" });
  const { success } = await command.output();
  if (success) return;
  const told = await Deno.readTextFile(`${dir}/log/start.log`);
  throw new Error(`Cannot test with S3: ${binary} failed: ${told.slice(-500)}`);
}

async function stopAll(run: string): Promise<void> {
  for await (const { name } of Deno.readDir(run)) {
    if (!name.endsWith(".pid")) continue;
    const pid = Number(await Deno.readTextFile(`${run}/${name}`));
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It was gone.
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 100)); // their files are let go of
}
