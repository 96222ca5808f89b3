import assert from "node:assert/strict";
import { buildPackage, packageName, versionOfPackage } from "./deb.ts";
import { commandLine, programs } from "./programs.ts";

const found = await Deno.stat("/usr/bin/dpkg-deb").then(() => true, () => false);
const needsDpkg = found ? "" : " [skipped: need dpkg-deb]";

async function dpkgDeb(...args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command("dpkg-deb", { args }).output();
  assert.ok(success, args.join(" "));
  return new TextDecoder().decode(stdout);
}

for (const { name } of [...programs, commandLine]) {
  const title = packageName(name);

  Deno.test({
    name: `the package ${title} unpacks to a program that runs, and its files${needsDpkg}`,
    ignore: !found,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        const binary = `${folder}/program`;
        await Deno.writeTextFile(binary, `#!/bin/sh\necho "stands in for ${title} $1"\n`);
        const file = await buildPackage({
          name,
          binary,
          help: "'quoted' -- and \\ .",
          architecture: "amd64",
          date: new Date(0),
        }, folder);
        assert.equal(await versionOfPackage(file, name), `stands in for ${title} --version`);
        const paths = (await dpkgDeb("-c", file)).split("\n").map((line) => line.slice(0, 21));
        assert.ok(
          paths.every((line) => line === "" || /^[-d]rw[x-]r-[x-]r-[x-] root\/root /.test(line)),
        );
        await dpkgDeb("-R", file, `${folder}/all`);
        const read = (path: string) => Deno.readTextFileSync(`${folder}/all/${path}`);
        assert.match(read("DEBIAN/control"), new RegExp(`^Package: ${title}\n`));
        assert.match(read(`usr/share/doc/${title}/copyright`), /npm package hono@/);
        if (name === "cli") return;
        assert.equal(read("DEBIAN/conffiles"), `/etc/downlink/${name}.json\n`);
        assert.ok(read(`usr/lib/systemd/system/${title}.service`).includes(`/usr/bin/${title} `));
        for (const script of ["postinst", "prerm", "postrm"]) {
          const path = `${folder}/all/DEBIAN/${script}`;
          assert.ok(
            (await new Deno.Command("sh", { args: ["-n", path] }).output()).success,
            script,
          );
          assert.ok(!read(`DEBIAN/${script}`).includes("@"), script);
        }
        // State goes when the package is purged, and at no other time.
        const [beforePurge, purge] = read("DEBIAN/postrm").split(`[ "$1" = purge ]`);
        assert.ok(!beforePurge.includes("/var/lib"));
        assert.ok(purge.includes(`rm -rf "/var/lib/downlink/${name}"\n`));
        assert.ok(!(read("DEBIAN/prerm") + read("DEBIAN/postinst")).includes("rm "));
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

const judged = await Deno.stat("/usr/bin/lintian").then(() => found, () => false);

Deno.test({
  name: `lintian finds nothing in a package${judged ? "" : " [skipped: need lintian]"}`,
  ignore: !judged,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const source = { name: "stb", help: "Help.", architecture: "amd64", date: new Date() };
      // A small program: lintian reads a whole one for minutes, and finds only that it is not stripped.
      const binary = "/bin/true";
      const file = await buildPackage({ ...source, binary }, folder);
      const args = ["--allow-root", "--fail-on", "error,warning", file];
      const { success, stdout } = await new Deno.Command("lintian", { args }).output();
      const said = new TextDecoder().decode(stdout);
      assert.deepEqual({ success, said }, { success: true, said: "" });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
