/**
 * A body that goes to one client and into the store on its way.
 *
 * @module
 */

import type { StoredResponse, StoreWriter } from "./store.ts";

/** Where the bytes go, and when they may stay. */
export interface KeepOptions {
  readonly writer: StoreWriter;
  readonly response: StoredResponse;
  /** The body is kept only when it has exactly so many; any number without. */
  readonly expectedBytes: number | undefined;
  /** Asked at the end. */
  readonly admit: () => boolean;
  /** Called once, before what was written is committed or given up. */
  readonly done: () => void;
}

/** Returns the same body; it is stored when the client has read it to its end. */
export function keptBody(
  body: ReadableStream<Uint8Array>,
  { writer, response, expectedBytes, admit, done }: KeepOptions,
): ReadableStream<Uint8Array> {
  let bytes = 0;
  const give = async () => {
    done();
    await writer.abort();
  };
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done: ended, value } = await reader.read();
        if (!ended) {
          bytes += value.length;
          await writer.write(value);
          return controller.enqueue(value);
        }
        if ((expectedBytes === undefined || bytes === expectedBytes) && admit()) {
          done();
          await writer.commit(response);
        } else await give();
        controller.close();
      } catch (error) {
        await give();
        throw error;
      }
    },
    async cancel(reason) {
      await give();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
