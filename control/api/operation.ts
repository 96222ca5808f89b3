/**
 * What a route says of itself: who may call it, what it takes and what it answers. One declaration,
 * as the first handler of the route, makes the check of scopes, the audit row and the OpenAPI document.
 *
 * @module
 */

import type { MiddlewareHandler } from "hono";
import type * as v from "valibot";

/** What a token may do; `admin` includes all others. */
export type Scope = "read" | "purge" | "admin" | "node" | "box";

/** All scopes. */
export const scopes: readonly Scope[] = ["read", "purge", "admin", "node", "box"];

/** A schema of the API. */
export type ApiSchema = v.GenericSchema;

/** A parameter in the query or the path. */
export interface OperationParameter {
  /** What it means, with unit and default. */
  readonly text: string;
  readonly schema: ApiSchema;
  readonly required?: boolean;
}

/** One answer of an operation. */
export interface OperationAnswer {
  readonly text: string;
  /** Schema of the JSON body; absent for an empty one and for other media types. */
  readonly schema?: ApiSchema;
  /** Media type, `application/json` by default. */
  readonly type?: string;
}

/** The declaration of one route. */
export interface Operation {
  /** Unique, in camelCase, for example `listNodes`. */
  readonly id: string;
  /** Heading that it stands under. */
  readonly tag: string;
  /** One line without a full stop. */
  readonly summary: string;
  readonly description?: string;
  /** Any one of these is enough, and `admin` always is; empty: everybody may call it. */
  readonly scopes: readonly Scope[];
  /** Path parameters that are more than a string of 1 to 64 characters. */
  readonly path?: Readonly<Record<string, OperationParameter>>;
  readonly query?: Readonly<Record<string, OperationParameter>>;
  /** Schema of the JSON body that it takes. */
  readonly body?: ApiSchema;
  /** Answers by status; refusals that every route has come by themselves. */
  readonly answers: Readonly<Record<number, OperationAnswer>>;
  /** `false` for what nodes say of themselves, which no person decides. */
  readonly audited?: boolean;
}

const operations = new WeakMap<object, Operation>();

/** Declares a route: `app.get(path, operation({ ... }), handler)`. */
export function operation(declaration: Operation): MiddlewareHandler {
  const handler: MiddlewareHandler = (_, next) => next();
  operations.set(handler, declaration);
  return handler;
}

/** Returns what a handler declares; `undefined` when it is not made by {@link operation}. */
export function operationOf(handler: object): Operation | undefined {
  return operations.get(handler);
}
