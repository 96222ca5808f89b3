/**
 * A disk store in a process of its own that runs out of file descriptors: `disk_errors_rig.ts DIR`.
 * Fills a store, takes every descriptor, uses the store, gives them back, and prints what it saw.
 *
 * @module
 */

import { openDiskStore } from "./disk_store.ts";
import { putObject, readObject, suiteBody, suiteResponse } from "./store_suite.ts";

const dir = Deno.args[0];
const faults: Record<string, number> = {};
const onFault = ({ reason }: { reason: string }) => faults[reason] = (faults[reason] ?? 0) + 1;
const store = await openDiskStore({ dir, budgetBytes: 64 * 2 ** 20, onFault });
const body = suiteBody(1, 300_000);
const put = (key: string) => putObject(store, suiteResponse(key), body);
const whole = async (key: string) => {
  const [entry] = store.find(key);
  return entry === undefined ? "absent" : await readObject(entry).then(
    (read) => read.length === body.length ? "whole" : "short",
    () => "failed",
  );
};
for (let i = 0; i < 5; i++) await put(`/${i}`);
const taken: Deno.FsFile[] = [];
try {
  while (true) taken.push(await Deno.open("/dev/null"));
} catch {
  // None is left.
}
const without = [await whole("/0"), await whole("/1"), (await put("/new")) ? "stored" : "refused"];
const faultsWithout = { ...faults };
for (const file of taken) file.close();
const after = await Promise.all(["/0", "/1", "/2", "/3", "/4"].map(whole));
after.push((await put("/later")) ? "stored" : "refused");
await store.close();
const said = JSON.stringify({ taken: taken.length, without, faultsWithout, after });
Deno.stdout.writeSync(new TextEncoder().encode(`${said}\n`));
