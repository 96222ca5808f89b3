/**
 * Files of a folder by URL path: which file a path means, and what type it has. Pure; the reading is
 * one function that the caller gives.
 *
 * @module
 */

/** Types of what a page is made of; anything else is served as bytes. */
const types: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  json: "application/json",
  map: "application/json",
  webmanifest: "application/manifest+json",
  txt: "text/plain; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  ico: "image/x-icon",
  woff2: "font/woff2",
  wasm: "application/wasm",
};

/** Returns the media type of a file name. */
export function mediaType(name: string): string {
  const extension = /\.([a-z0-9]+)$/.exec(name.toLowerCase())?.[1] ?? "";
  return Object.hasOwn(types, extension) ? types[extension] : "application/octet-stream";
}

/**
 * Returns the file that a URL path means, relative to the folder.
 *
 * Only names of letters, digits, `.`, `_`, `-` and `~` exist, none starts with a dot: so there is no
 * way up, no hidden file, no device and no escape to think about.
 *
 * @param path What follows the mount point, without a leading `/`; a folder means its `index.html`.
 * @returns `undefined` when no such file may exist.
 */
export function filePath(path: string): string | undefined {
  if (path.length > 512) return undefined;
  const file = path === "" || path.endsWith("/") ? `${path}index.html` : path;
  const names = file.split("/");
  return names.every((name) => /^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/.test(name)) ? file : undefined;
}

/** Reads a file below the folder; `undefined` when there is none. */
export type ReadFile = (file: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/**
 * Makes a reader of the files below `folder`. Symbolic links may not lead out of it.
 *
 * @param folder A `file:` URL; one made from `import.meta.url` also works in a compiled program.
 */
export function folderReader(folder: URL): ReadFile {
  const base = folder.href.endsWith("/") ? folder : new URL(`${folder.href}/`);
  return async (file) => {
    try {
      const path = new URL(file, base);
      const real = await Deno.realPath(path);
      if (!real.startsWith(`${await Deno.realPath(base)}/`)) return undefined;
      return await Deno.readFile(path);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  };
}

function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory ||
    error instanceof Deno.errors.NotADirectory ||
    (error instanceof Error && "code" in error && error.code === "EISDIR");
}

/** Answers `GET` and `HEAD` for a path below the mount point. */
export async function serveFile(path: string, read: ReadFile): Promise<Response> {
  const file = filePath(path);
  const bytes = file === undefined ? undefined : await read(file);
  if (file === undefined || bytes === undefined) {
    const error = `Cannot find the page: no such file: received ${path.slice(0, 200)}`;
    return Response.json({ error }, { status: 404 });
  }
  return new Response(bytes, {
    headers: {
      "content-type": mediaType(file),
      "content-length": `${bytes.length}`,
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
    },
  });
}
