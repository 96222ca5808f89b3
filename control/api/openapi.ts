/**
 * The OpenAPI 3.1 document of an app, made from what its routes declare. Pure.
 *
 * @module
 */

import type { Hono } from "hono";
import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import {
  type ApiSchema,
  type Operation,
  operationOf,
  type OperationParameter,
} from "./operation.ts";

/** JSON, as it stands in the document. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A route that declares an operation. */
export interface DeclaredRoute {
  readonly method: string;
  /** In Hono's form, `/nodes/:id`. */
  readonly path: string;
  readonly operation: Operation;
}

/** The body of every refusal. */
export const refusalSchema = v.pipe(
  v.object({
    error: v.pipe(v.string(), v.description("One sentence: what, the need, what came")),
  }),
  v.title("Refusal"),
);

/** Returns the declared routes of an app in the order in which they were made. */
export function declaredRoutes(app: Hono): DeclaredRoute[] {
  return app.routes.flatMap(({ method, path, handler }) => {
    const declared = operationOf(handler);
    return declared === undefined ? [] : [{ method, path, operation: declared }];
  });
}

/** Makes the document. */
export function openApiDocument(
  routes: readonly DeclaredRoute[],
  { version, description }: { version: string; description: string },
): { [name: string]: Json } {
  const schemas = new Components();
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = describedPath(route.path);
    (paths[path] ??= {})[route.method.toLowerCase()] = operationObject(route, schemas);
  }
  const tags = [...new Set(routes.map(({ operation: { tag } }) => tag))];
  return {
    openapi: "3.1.1",
    info: { title: "Downlink control", version, description, license },
    servers: [{ url: "/" }],
    tags: tags.map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.all(),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "A token of `POST /tokens`." },
      },
    },
  };
}

/** A path in OpenAPI's form: `/nodes/{id}` for `/nodes/:id`, `/route/{path}` for a rest that is a path. */
export function describedPath(path: string): string {
  return path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}").replace(/\*$/, "{path}");
}

const license = { name: "Apache-2.0", identifier: "Apache-2.0" };

function operationObject({ path, operation }: DeclaredRoute, schemas: Components): Json {
  const { id, tag, summary, description, body } = operation;
  const names = [...describedPath(path).matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const parameters = [
    ...names.map((name) =>
      parameterObject("path", name, operation.path?.[name] ?? anyName, schemas)
    ),
    ...Object.entries(operation.query ?? {}).map(([name, parameter]) =>
      parameterObject("query", name, parameter, schemas)
    ),
  ];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: operation.scopes.map((scope) => ({ bearer: [scope] })),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : {
      requestBody: {
        required: true,
        content: { "application/json": { schema: schemas.of(body, "input") } },
      },
    }),
    responses: responses(operation, schemas),
  };
}

/** What a path parameter is when nothing more is said. */
const anyName: OperationParameter = {
  text: "Its name.",
  schema: v.pipe(v.string(), v.minLength(1)),
};

function parameterObject(
  place: "path" | "query",
  name: string,
  { text, schema, required = place === "path" }: OperationParameter,
  schemas: Components,
): Json {
  return { name, in: place, required, description: text, schema: schemas.of(schema, "input") };
}

function responses(operation: Operation, schemas: Components): Record<string, Json> {
  const refusal = (description: string): Json => ({
    description,
    content: { "application/json": { schema: schemas.of(refusalSchema, "output") } },
  });
  const all: Record<string, Json> = {};
  for (
    const [status, { text, schema, type = "application/json" }] of Object.entries(operation.answers)
  ) {
    const content: Json = {
      [type]: schema === undefined ? {} : { schema: schemas.of(schema, "output") },
    };
    const empty = schema === undefined && type === "application/json";
    all[status] = empty ? { description: text } : { description: text, content };
  }
  if (operation.body !== undefined) {
    all["400"] ??= refusal("The body cannot be used.");
    all["413"] ??= refusal("The body is too long.");
  }
  if (operation.scopes.length > 0) all["401"] ??= refusal("There is no valid token.");
  if (operation.scopes.length > 0 && !operation.scopes.includes("node")) {
    all["429"] ??= refusal("The caller comes too often; see Retry-After and RateLimit.");
  }
  all["403"] ??= refusal("The caller may not do this.");
  all["500"] ??= refusal("Storage failed.");
  return all;
}

/** The named schemas of a document: those with a title stand once, under it. */
class Components {
  readonly #schemas = new Map<string, Json>();

  of(schema: ApiSchema, typeMode: "input" | "output"): Json {
    const title = v.getTitle(schema);
    if (title === undefined) return convert(schema, typeMode);
    if (!this.#schemas.has(title)) {
      const { title: _, ...rest } = convert(schema, typeMode) as { [name: string]: Json };
      this.#schemas.set(title, rest);
    }
    return { $ref: `#/components/schemas/${title}` };
  }

  all(): { [name: string]: Json } {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => a < b ? -1 : 1));
  }
}

function convert(schema: ApiSchema, typeMode: "input" | "output"): Json {
  const { $schema: _, ...json } = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode,
    errorMode: "ignore",
  });
  return json as Json;
}
