/**
 * Lint rules of this house: import direction, codecs without sockets, a module doc on every file.
 *
 * @module
 */

import { codecs, refuseImport } from "./directions.ts";

const root = new URL("..", import.meta.url).pathname;

/** Path from the root of the tree, or `undefined` for a file outside of it. */
function fromRoot(filename: string): string | undefined {
  const path = filename.replaceAll("\\", "/");
  return path.startsWith(root) ? path.slice(root.length) : undefined;
}

const direction: Deno.lint.Rule = {
  create(context) {
    const file = fromRoot(context.filename);
    const look = (source: { value?: unknown } | null | undefined, node: Deno.lint.Node) => {
      if (file === undefined || typeof source?.value !== "string") return;
      const reason = refuseImport(file, source.value);
      if (reason) context.report({ node, message: `Cannot import this here: ${reason}` });
    };
    return {
      ImportDeclaration: (node) => look(node.source, node),
      ExportNamedDeclaration: (node) => look(node.source, node),
      ExportAllDeclaration: (node) => look(node.source, node),
      ImportExpression: (node) => look(node.source as { value?: unknown }, node),
    };
  },
};

const waiting = /^(listen|listenTls|listenDatagram|connect|connectTls|serve|open|openSync|dlopen)$/;

const pureCodecs: Deno.lint.Rule = {
  create(context) {
    const [top, name] = fromRoot(context.filename)?.split("/") ?? [];
    const pure = top === "lib" && codecs.includes(name) && !context.filename.endsWith("_test.ts");
    return {
      MemberExpression(node) {
        if (!pure || node.object.type !== "Identifier" || node.object.name !== "Deno") return;
        if (node.property.type !== "Identifier" || !waiting.test(node.property.name)) return;
        const message =
          `Cannot use Deno.${node.property.name} here: codecs hold no sockets and no files`;
        context.report({ node, message });
      },
    };
  },
};

const moduleDoc: Deno.lint.Rule = {
  create(context) {
    return {
      Program(node) {
        const file = fromRoot(context.filename) ?? "";
        const text = context.sourceCode.text;
        if (
          file === "" || file.endsWith("_test.ts") ||
          /^(#!.*\n)?\/\*\*[\s\S]*?@module[\s\S]*?\*\//.test(text)
        ) return;
        context.report({
          node,
          message:
            "Cannot leave this file unexplained: need a /** ... @module */ comment at its top",
        });
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    "import-direction": direction,
    "pure-codecs": pureCodecs,
    "module-doc": moduleDoc,
  },
};

export default plugin;
