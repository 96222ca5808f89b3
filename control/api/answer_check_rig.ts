/**
 * Holds real answers against what their routes declare; for tests, which send every answer through it.
 *
 * @module
 */

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import type { Hono } from "hono";
import { declaredRoutes, describedPath, type Json, openApiDocument } from "./openapi.ts";

type JsonObject = { [name: string]: Json };

/** Makes `app` throw when it answers what its description does not say. */
export function checkAnswers(app: Hono): void {
  const answer = app.fetch;
  let check: AnswerCheck | undefined;
  app.fetch = async (request, ...rest) => {
    const response = await answer(request, ...rest);
    check ??= new AnswerCheck(app);
    await check.check(request, response);
    return response;
  };
}

class AnswerCheck {
  readonly #app: Hono;
  readonly #document: JsonObject;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(app: Hono) {
    this.#app = app;
    const options = { version: "0", description: "" };
    this.#document = openApiDocument(declaredRoutes(app), options);
    this.#ajv.addSchema({ $id: "api", ...this.#document });
  }

  async check(request: Request, response: Response): Promise<void> {
    const path = this.#pathOf(request);
    const { status } = response;
    if (path === undefined || status === 405) return;
    const method = request.method.toLowerCase().replace("head", "get");
    const place = ["paths", path, method, "responses", String(status)];
    const answer = at(this.#document, place) as JsonObject | undefined;
    const line = `${request.method} ${path} ${status}`;
    if (answer === undefined) throw new Error(`${line}: not in the description`);
    const type = response.headers.get("content-type")?.split(";")[0];
    const content = (answer.content ?? {}) as JsonObject;
    if (type === undefined ? Object.keys(content).length > 0 : !(type in content)) {
      throw new Error(`${line}: ${type} is not in the description`);
    }
    if (type !== "application/json" || request.method === "HEAD") return;
    const validate = this.#validator([...place, "content", type, "schema"]);
    if (validate === undefined || validate(await response.clone().json())) return;
    throw new Error(`${line}: ${this.#ajv.errorsText(validate.errors)}`);
  }

  /** The path of the description that a request means. */
  #pathOf(request: Request): string | undefined {
    const method = request.method === "HEAD" ? "GET" : request.method;
    const [matches] = this.#app.router.match(method, new URL(request.url).pathname);
    const paths = matches.map(([[, route]]) => describedPath(route.path));
    return paths.find((path) => at(this.#document, ["paths", path]) !== undefined);
  }

  #validator(place: readonly string[]): ValidateFunction | undefined {
    if (at(this.#document, place) === undefined) return undefined;
    const pointer = place.map((name) =>
      encodeURIComponent(name.replaceAll("~", "~0").replaceAll("/", "~1"))
    ).join("/");
    let validate = this.#validators.get(pointer);
    if (validate === undefined) {
      validate = this.#ajv.compile({ $ref: `api#/${pointer}` });
      this.#validators.set(pointer, validate);
    }
    return validate;
  }
}

function at(value: Json | undefined, place: readonly string[]): Json | undefined {
  for (const name of place) value = (value as JsonObject | undefined)?.[name];
  return value;
}
