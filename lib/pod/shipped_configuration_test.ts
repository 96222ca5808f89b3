import assert from "node:assert/strict";
import { configureStore, missingFor, type StoreKind } from "#rigs";

/** How each store reads a configuration without starting. */
const checks: Readonly<Record<StoreKind, (args: readonly string[]) => [string, string[]]>> = {
  ats: (args) => ["traffic_server", [...args, "-C", "verify_config"]],
  varnish: (args) => {
    const [work, vcl] = ["-n", "-f"].map((flag) => args[args.indexOf(flag) + 1]);
    return ["varnishd", ["-C", "-n", work, "-f", vcl]];
  },
};

for (const kind of ["ats", "varnish"] as const) {
  const missing = missingFor(kind);
  const verify = async (change: (dir: string) => Promise<void> = async () => {}) => {
    const dir = await Deno.makeTempDir({ prefix: "downlink-verify-" });
    await Deno.chmod(dir, 0o755); // varnishd reads as another user
    try {
      const own = { dir, port: 1, upstreamPort: 2, secret: "secret-of-the-test" };
      const args = await configureStore(kind, own);
      await change(dir);
      const [binary, flags] = checks[kind](args);
      const { success, stdout, stderr } = await new Deno.Command(binary, { args: flags }).output();
      const told = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      return { success, told };
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  };

  Deno.test({
    name: `the configuration that ships for ${kind} is one to its own engine${
      missing ? ` (${missing})` : ""
    }`,
    ignore: missing !== undefined,
    async fn() {
      const { success, told } = await verify();
      assert.ok(success, told);
      if (kind === "ats") assert.doesNotMatch(told, /WARNING|ERROR/);
    },
  });

  Deno.test({
    name: `the engine of ${kind} finds a configuration that is none${
      missing ? ` (${missing})` : ""
    }`,
    ignore: missing !== undefined,
    async fn() {
      const { success, told } = await verify(async (dir) => {
        const file = kind === "ats" ? `${dir}/etc/remap.config` : `${dir}/default.vcl`;
        await Deno.writeTextFile(file, "map nothing to nowhere {");
      });
      assert.ok(!success || /ERROR/.test(told), told);
    },
  });
}
