/**
 * `deno task doc`: every export of a lib package, and every public method of an exported class, says
 * what it is. Stricter than nothing and laxer than `deno doc --lint`, which wants a comment even on
 * `readonly status: number`.
 *
 * @module
 */

interface Declaration {
  readonly kind: string;
  readonly jsDoc?: { readonly doc?: string };
  readonly location: { readonly filename: string; readonly line: number };
  readonly def?: {
    readonly methods?: readonly Method[];
  };
}

interface Method {
  readonly name: string;
  readonly accessibility?: string;
  readonly isOverride?: boolean;
  readonly jsDoc?: { readonly doc?: string };
  readonly location: Declaration["location"];
}

interface Documentation {
  readonly nodes: Readonly<Record<string, ModuleDoc>>;
}

interface ModuleDoc {
  readonly module_doc?: { readonly doc?: string };
  readonly symbols: readonly {
    readonly name: string;
    readonly declarations: readonly Declaration[];
  }[];
}

const root = new URL("..", import.meta.url);

function doors(): string[] {
  const folders = [...Deno.readDirSync(new URL("lib", root))].filter((entry) => entry.isDirectory);
  return folders.map((entry) => `lib/${entry.name}/mod.ts`).sort();
}

async function document(): Promise<Documentation> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...doors()],
    cwd: root,
    stderr: "inherit",
  });
  const { success, stdout } = await command.output();
  if (!success) Deno.exit(1);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function at(location: Declaration["location"]): string {
  return `${location.filename.replace(root.href, "")}:${location.line}`;
}

/** Lists what lacks a comment, one line each. */
function undocumented({ nodes }: Documentation): string[] {
  const missing = new Set<string>();
  for (const [door, { module_doc, symbols }] of Object.entries(nodes)) {
    if (!module_doc?.doc) missing.add(`${door.replace(root.href, "")}: the module`);
    for (const { name, declarations } of symbols) {
      for (const { kind, jsDoc, location, def } of declarations) {
        if (!jsDoc?.doc && kind !== "import") missing.add(`${at(location)}: ${name}`);
        for (const method of kind === "class" ? def?.methods ?? [] : []) {
          if (method.accessibility === "private" || method.isOverride || method.jsDoc?.doc) {
            continue;
          }
          missing.add(`${at(method.location)}: ${name}.${method.name}()`);
        }
      }
    }
  }
  return [...missing].sort();
}

const missing = undocumented(await document());
for (const line of missing) {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line} needs a comment\n`));
}
Deno.exit(missing.length === 0 ? 0 : 1);
