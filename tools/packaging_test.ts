import assert from "node:assert/strict";
import { type ParameterTable, readSettings } from "#config";
import { parameters as control } from "../control/config.ts";
import { parameters as edge } from "../edge/config.ts";
import { parameters as headend } from "../satellite/config.ts";
import { parameters as shield } from "../shield/config.ts";
import { parameters as stb } from "../stb/config.ts";
import { programs } from "./programs.ts";

const root = new URL("..", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, root));
const tables: Record<string, ParameterTable> = { control, edge, headend, shield, stb };

/** Whether Debian's systemd is here, which need not run. */
const judged = await Deno.stat("/usr/bin/systemd-analyze").then(() => true, () => false);
const needsSystemd = judged ? "" : " [skipped: need systemd-analyze]";

async function systemdAnalyze(...args: string[]) {
  const command = new Deno.Command("systemd-analyze", { args, env: { SYSTEMD_COLORS: "0" } });
  const { success, stdout, stderr } = await command.output();
  const text = new TextDecoder();
  return { success, out: text.decode(stdout), err: text.decode(stderr) };
}

for (const { name } of programs) {
  const unit = `packaging/systemd/downlink-${name}.service`;

  Deno.test({
    name: `systemd finds nothing wrong with downlink-${name}.service${needsSystemd}`,
    ignore: !judged,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        // The program need not be installed here: another stands in for it.
        const text = read(unit).replace(
          `ExecStart=/usr/bin/downlink-${name} `,
          "ExecStart=/bin/true ",
        );
        await Deno.writeTextFile(`${folder}/downlink-${name}.service`, text);
        const file = `${folder}/downlink-${name}.service`;
        const { success, err } = await systemdAnalyze("verify", "--man=no", file);
        const ours = err.split("\n").filter((line) => line.includes("downlink-"));
        assert.deepEqual({ success, ours }, { success: true, ours: [] });
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });

  Deno.test({
    name: `systemd calls the exposure of downlink-${name}.service 1.1 at most${needsSystemd}`,
    ignore: !judged,
    async fn() {
      const path = new URL(unit, root).pathname;
      const flags = ["--offline=true", "--no-pager", "--threshold=11"];
      const { success, out } = await systemdAnalyze("security", ...flags, path);
      assert.ok(success, out);
      assert.match(out, /Overall exposure level for \S+: (?:0\.\d|1\.[01]) OK/);
    },
  });

  Deno.test(`downlink-${name} takes the configuration that its package brings`, () => {
    const path = `packaging/config/${name}.json`;
    const reading = readSettings(tables[name], {
      args: ["--config", path],
      env: {},
      readFile: read,
    });
    assert.equal(reading.kind, "settings", JSON.stringify(reading));
    const state = [...read(path).matchAll(/\/var\/lib\/[^"]*/g)].map(([folder]) => folder);
    assert.ok(state.length > 0);
    for (const folder of state) {
      assert.match(`${folder}/`, new RegExp(`^/var/lib/downlink/${name}/`));
    }
  });

  Deno.test(`the service downlink-${name} runs as its own user, in its own folder`, () => {
    const text = read(unit);
    assert.ok(text.includes(`\nUser=downlink-${name}\n`));
    assert.ok(text.includes(`\nStateDirectory=downlink/${name}\n`));
    assert.ok(read(`packaging/sysusers/downlink-${name}.conf`).startsWith(`u downlink-${name} `));
  });
}
