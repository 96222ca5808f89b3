/**
 * The reference of the API: control's own OpenAPI document as a page.
 *
 * @module
 */

import { byId, h, set } from "./dom.js";
import { constraintsOf, nameOf, typeOf } from "./schema_words.js";

const methods = ["get", "post", "put", "patch", "delete"];

async function show() {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`Control answered ${response.status}.`);
  const document = await response.json();
  set(byId("version"), { text: `version ${document.info.version}, OpenAPI ${document.openapi}` });
  set(byId("introduction"), { text: document.info.description });
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    methods.filter((method) => method in item).map((method) => ({ path, method, ...item[method] }))
  );
  for (const { name } of document.tags) {
    const own = operations.filter(({ tags }) => tags.includes(name));
    byId("contents").append(h("h2", { text: name }), ...own.map(link));
    byId("operations").append(...own.map((operation) => section(operation, document)));
  }
  if (location.hash.length > 1) byId(location.hash.slice(1))?.scrollIntoView();
}

function link({ path, method, operationId }) {
  return h(
    "a",
    { href: `#${operationId}` },
    h("span", { class: "method", "data-method": method, text: method.toUpperCase() }),
    h("span", { text: path }),
  );
}

function section(operation, document) {
  const { path, method, operationId, summary, description, parameters = [] } = operation;
  return h(
    "section",
    { class: "operation card", id: operationId },
    h(
      "h3",
      {},
      h("span", { class: "method", "data-method": method, text: method.toUpperCase() }),
      h("code", { text: path }),
    ),
    h("p", { text: `${summary}.` }),
    ...(description ? [h("p", { class: "quiet", text: description })] : []),
    h("p", { class: "scopes", text: scopeWords(operation) }),
    ...(parameters.length > 0 ? [h("h4", { text: "Parameters" }), parameterList(parameters)] : []),
    ...body(operation, document),
    h("h4", { text: "Answers" }),
    h("ul", { class: "answers" }, ...answers(operation, document)),
  );
}

function scopeWords({ security }) {
  if (security.length === 0) return "Everybody may ask.";
  const scopes = new Set([...security.map(({ bearer }) => bearer[0]), "admin"]);
  return `Needs a token with scope ${[...scopes].join(" or ")}.`;
}

function parameterList(parameters) {
  return h(
    "ul",
    { class: "schema" },
    ...parameters.map(({ name, in: place, description, required, schema }) =>
      h(
        "li",
        {},
        h("code", { text: name }),
        h("span", {
          class: "type",
          text: ` ${typeOf(schema)} in the ${place}${required ? "" : ", optional"}. `,
        }),
        description ?? "",
      )
    ),
  );
}

function body({ requestBody }, document) {
  const schema = requestBody?.content["application/json"]?.schema;
  return schema === undefined ? [] : [
    h("h4", { text: "Body" }),
    schemaTree(schema, document, 0),
  ];
}

function answers({ responses }, document) {
  return Object.entries(responses).map(([status, { description, content = {} }]) => {
    const line = [h("b", { text: status }), ` ${description}`];
    const [[type, { schema } = {}] = []] = Object.entries(content);
    const named = schema && nameOf(schema);
    if (type && type !== "application/json") {
      line.push(h("span", { class: "type", text: ` ${type}` }));
    }
    if (schema === undefined || named === "Refusal") return h("li", {}, ...line);
    return h(
      "li",
      {},
      h("details", {}, h("summary", {}, ...line), schemaTree(schema, document, 0)),
    );
  });
}

/** A schema as a tree of its properties; what is nested deep is named only. */
function schemaTree(schema, document, depth) {
  const plain = resolved(schema, document);
  const of = plain.anyOf?.find(({ type }) => type !== "null") ?? plain;
  const inner = of.type === "array" ? resolved(of.items ?? {}, document) : of;
  const entries = Object.entries(inner.properties ?? {});
  if (entries.length === 0 || depth > 5) {
    return h("p", {
      class: "schema type",
      text: [typeOf(plain), ...constraintsOf(plain)].join(", "),
    });
  }
  const required = inner.required ?? [];
  return h(
    "ul",
    { class: "schema" },
    ...entries.map(([name, property]) =>
      leaf(name, property, required.includes(name), document, depth)
    ),
  );
}

function leaf(name, property, required, document, depth) {
  const plain = resolved(property, document);
  const words = [typeOf(plain), ...(required ? [] : ["optional"]), ...constraintsOf(plain)];
  const line = [
    h("code", { text: name }),
    h("span", { class: "type", text: ` ${words.join(", ")}` }),
    ...(plain.description ? [`. ${plain.description}`] : []),
  ];
  const inner = plain.type === "array" ? resolved(plain.items ?? {}, document) : plain;
  if (Object.keys(inner.properties ?? {}).length === 0) return h("li", {}, ...line);
  return h("li", {}, ...line, schemaTree(plain, document, depth + 1));
}

function resolved(schema, document) {
  const name = nameOf(schema);
  return name === undefined ? schema : document.components.schemas[name];
}

show().catch((error) =>
  set(byId("introduction"), { text: `Cannot show the API: ${error.message}` })
);
