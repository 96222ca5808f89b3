/**
 * JSON Schema in a few words. Pure.
 *
 * @module
 */

/** The name of the schema that another one refers to. */
export function nameOf(schema) {
  return schema.$ref?.split("/").at(-1);
}

/** The type of a schema: `string`, `list of integer`, `"a" or "b"`. */
export function typeOf(schema) {
  const named = nameOf(schema);
  if (named !== undefined) return named;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) {
    return schema.enum.map((word) => JSON.stringify(word)).join(" or ");
  }
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`;
  if (schema.type === "object" && schema.additionalProperties?.type !== undefined) {
    return `object of ${typeOf(schema.additionalProperties)}`;
  }
  return schema.type ?? "any";
}

/** The bounds of a schema in words. */
export function constraintsOf(schema) {
  const words = {
    minimum: (value) => `${value} or more`,
    maximum: (value) => value >= Number.MAX_SAFE_INTEGER ? undefined : `at most ${value}`,
    minLength: (value) => value <= 1 ? undefined : `${value} or more characters`,
    maxLength: (value) => `at most ${value} characters`,
    minItems: (value) => `${value} or more of them`,
    maxItems: (value) => `at most ${value} of them`,
    pattern: (value) => `like ${value}`,
    default: (value) => `default ${JSON.stringify(value)}`,
  };
  return Object.entries(words).flatMap(([name, word]) =>
    schema[name] === undefined ? [] : word(schema[name]) ?? []
  );
}
