/**
 * Where configuration documents are read from and kept.
 *
 * @module
 */

/** Longest document that is read, in bytes. */
const maxDocumentBytes = 4 * 2 ** 20;
const fetchTimeoutMs = 10_000;

/**
 * Makes a reader of what `--session` names: a file, or an `http` or `https` URL.
 *
 * Its promise rejects with one sentence when the document cannot be had.
 */
export function sessionLoader(session: string): () => Promise<Uint8Array> {
  if (/^https?:\/\//i.test(session)) return () => fetchDocument(session);
  return async () => {
    try {
      return await Deno.readFile(session);
    } catch (error) {
      throw cannotRead(session, error instanceof Error ? error.message : String(error));
    }
  };
}

async function fetchDocument(url: string): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(fetchTimeoutMs) });
  } catch (error) {
    throw cannotRead(url, error instanceof Error ? error.message : String(error));
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw cannotRead(url, `status ${response.status}`);
  }
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    chunks.push(new Uint8Array(chunk));
    bytes += chunk.length;
    if (bytes > maxDocumentBytes) throw cannotRead(url, `more than ${maxDocumentBytes} bytes`);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function cannotRead(session: string, received: string): Error {
  return new Error(`need a gateway configuration at ${session}: received ${received}`);
}

/** Keeps the last good document in a file, replaced as a whole. */
export function keptSession(file: string): {
  read(): Promise<Uint8Array | undefined>;
  write(document: Uint8Array): Promise<void>;
} {
  return {
    async read() {
      try {
        return await Deno.readFile(file);
      } catch {
        return undefined; // none was kept
      }
    },
    async write(document) {
      const next = `${file}.new`;
      await Deno.writeFile(next, document);
      await Deno.rename(next, file);
    },
  };
}
