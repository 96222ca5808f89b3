/**
 * The page's folder for the demo: a copy in which `demo.json` names the demo's control address.
 *
 * @module
 */

/**
 * Copies the page.
 *
 * @param to Folder to make.
 * @param control URL of the demo's control.
 */
export async function makePageFolder(to: string, control: string): Promise<void> {
  await copyFolder(new URL("../stb/page/", import.meta.url), to);
  await Deno.writeTextFile(`${to}/demo.json`, JSON.stringify({ control }));
}

async function copyFolder(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to);
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(new URL(`${name}/`, from), `${to}/${name}`);
    if (isFile) await Deno.copyFile(new URL(name, from), `${to}/${name}`);
  }
}
