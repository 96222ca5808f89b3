/**
 * Requests of the demo to its own processes: JSON in, JSON out, never for long.
 *
 * @module
 */

/** How long any answer may take. */
const timeoutMs = 5_000;

/** A request that brought no usable answer. */
export class DemoRequestError extends Error {
  override name = "DemoRequestError";
}

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    if (answer.ok) return answer;
    const reason = (await answer.text()).slice(0, 200);
    throw new DemoRequestError(
      `Cannot use ${url}: need an answer of 2xx: received ${answer.status} ${reason}`,
    );
  } catch (error) {
    if (error instanceof DemoRequestError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DemoRequestError(`Cannot reach ${url}: ${reason}`);
  }
}

/** GET, the answer as text. */
export async function getText(url: string): Promise<string> {
  return await (await send(url, {})).text();
}

/** GET, the answer as the JSON that our own processes are known to give. */
export async function getJson<T>(url: string): Promise<T> {
  return await (await send(url, {})).json() as T;
}

/** POST or PUT of JSON. */
export async function sendJson<T>(
  method: "POST" | "PUT",
  url: string,
  value?: unknown,
): Promise<T> {
  const headers = { "content-type": "application/json" };
  const body = value === undefined ? undefined : JSON.stringify(value);
  return await (await send(url, { method, headers, body })).json() as T;
}

/** Whether GET answers 2xx; false too when nobody answers. */
export async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
