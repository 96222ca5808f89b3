/**
 * Waiting that a client who leaves ends.
 *
 * @module
 */

/** Waits for `promise`; `undefined` as soon as `signal` aborts. The promise itself goes on. */
export async function until<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (signal === undefined) return await promise;
  if (signal.aborted) return undefined;
  const { promise: left, resolve } = Promise.withResolvers<undefined>();
  const leave = () => resolve(undefined);
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([promise, left]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
