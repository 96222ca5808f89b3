/**
 * Request heads: one row a rule.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { HeadParser, type ParsedHead } from "./head_parser.ts";
import { defaultLimits, type Http1Limits } from "./limits.ts";
import { encodeOctets } from "./octets.ts";
import { type Http1Rejection, rejectionStatus } from "./rejection.ts";

type Outcome = ParsedHead | Http1Rejection | "need_more";

function parse(text: string, limits: Partial<Http1Limits> = {}): Outcome {
  return new HeadParser({ ...defaultLimits, ...limits }).parse(encodeOctets(text));
}

/** A head with the lines given and what it needs besides. */
function get(...lines: string[]): string {
  return ["GET / HTTP/1.1", "Host: a", ...lines, "", ""].join("\r\n");
}

const tooMany = Array.from({ length: 100 }, (_, i) => `x${i}: 1`);

const refused: { rule: string; text: string; want: Http1Rejection; rfc: string }[] = [
  { rule: "no version", text: "GET /\r\n", want: "bad_version", rfc: "9112 §3" },
  { rule: "no target", text: "GET\r\n", want: "bad_request_line", rfc: "9112 §3" },
  { rule: "nothing", text: "\r\n\r\n", want: "bad_request_line", rfc: "9112 §2.2" },
  {
    rule: "a leading space",
    text: " GET / HTTP/1.1\r\n",
    want: "bad_request_line",
    rfc: "9112 §3",
  },
  {
    rule: "a method with a colon",
    text: "G:T / HTTP/1.1\r\n",
    want: "bad_method",
    rfc: "9110 §9.1",
  },
  { rule: "two spaces", text: "GET  / HTTP/1.1\r\n", want: "bad_target", rfc: "9112 §3" },
  { rule: "a tab for a space", text: "GET\t/ HTTP/1.1\r\n", want: "bad_method", rfc: "9112 §3" },
  {
    rule: "a space in the target",
    text: "GET /a b HTTP/1.1\r\n",
    want: "bad_target",
    rfc: "9112 §3.2",
  },
  {
    rule: "a control in the target",
    text: "GET /\x01 HTTP/1.1\r\n",
    want: "bad_target",
    rfc: "9112 §3.2",
  },
  { rule: "NUL in the target", text: "GET /\0 HTTP/1.1\r\n", want: "bad_target", rfc: "9112 §3.2" },
  {
    rule: "DEL in the target",
    text: "GET /\x7f HTTP/1.1\r\n",
    want: "bad_target",
    rfc: "9112 §3.2",
  },
  { rule: "raw non-ASCII", text: "GET /\xe4 HTTP/1.1\r\n", want: "bad_target", rfc: "9112 §3.2" },
  { rule: "a fragment", text: "GET /a#b HTTP/1.1\r\n", want: "bad_target", rfc: "9112 §3.2" },
  { rule: "a backslash", text: "GET /a\\b HTTP/1.1\r\n", want: "bad_target", rfc: "9112 §3.2" },
  { rule: "a quote", text: 'GET /"a" HTTP/1.1\r\n', want: "bad_target", rfc: "9112 §3.2" },
  { rule: "a relative target", text: "GET a HTTP/1.1\r\n", want: "bad_target", rfc: "9112 §3.2.1" },
  { rule: "* with GET", text: "GET * HTTP/1.1\r\n", want: "bad_target", rfc: "9112 §3.2.4" },
  {
    rule: "another scheme",
    text: "GET ftp://a/ HTTP/1.1\r\n",
    want: "bad_target",
    rfc: "9112 §3.2.2",
  },
  {
    rule: "user information",
    text: "GET http://u@a/ HTTP/1.1\r\n",
    want: "host_invalid",
    rfc: "9110 §4.2.4",
  },
  {
    rule: "an empty authority",
    text: "GET http:/// HTTP/1.1\r\n",
    want: "host_invalid",
    rfc: "9110 §4.2.1",
  },
  {
    rule: "CONNECT",
    text: "CONNECT a:80 HTTP/1.1\r\n",
    want: "method_not_served",
    rfc: "9110 §9.3.6",
  },
  { rule: "TRACE", text: "TRACE / HTTP/1.1\r\n", want: "method_not_served", rfc: "9110 §9.3.8" },
  {
    rule: "a method in lower case",
    text: "get / HTTP/1.1\r\n",
    want: "method_not_served",
    rfc: "9110 §9.1",
  },
  {
    rule: "a method of 33",
    text: `${"M".repeat(33)} / HTTP/1.1\r\n`,
    want: "method_not_served",
    rfc: "9112 §3",
  },
  {
    rule: "HTTP/2.0",
    text: "GET / HTTP/2.0\r\n",
    want: "version_not_supported",
    rfc: "9110 §15.6.6",
  },
  {
    rule: "HTTP/0.9 as a version",
    text: "GET / HTTP/0.9\r\n",
    want: "version_not_supported",
    rfc: "9110 §15.6.6",
  },
  {
    rule: "a version in lower case",
    text: "GET / http/1.1\r\n",
    want: "bad_version",
    rfc: "9112 §2.3",
  },
  { rule: "HTTP/1.10", text: "GET / HTTP/1.10\r\n", want: "bad_version", rfc: "9112 §2.3" },
  {
    rule: "a space after the version",
    text: "GET / HTTP/1.1 \r\n",
    want: "bad_version",
    rfc: "9112 §3",
  },
  { rule: "bare LF", text: "GET / HTTP/1.1\nHost: a\n\n", want: "bare_lf", rfc: "9112 §2.2" },
  {
    rule: "bare LF after a field",
    text: "GET / HTTP/1.1\r\nHost: a\n\r\n",
    want: "bare_lf",
    rfc: "9112 §2.2",
  },
  {
    rule: "bare LF at the end",
    text: "GET / HTTP/1.1\r\nHost: a\r\n\n",
    want: "bare_lf",
    rfc: "9112 §2.2",
  },
  {
    rule: "bare CR in the request line",
    text: "GET /\r HTTP/1.1\r\n",
    want: "bare_cr",
    rfc: "9112 §2.2",
  },
  {
    rule: "bare CR before the target",
    text: "GET\r / HTTP/1.1\r\n",
    want: "bare_cr",
    rfc: "9112 §2.2",
  },
  { rule: "bare CR in a value", text: get("x: a\rb"), want: "bare_cr", rfc: "9112 §2.2" },
  { rule: "bare CR in a name", text: get("x\ry: a"), want: "bare_cr", rfc: "9112 §2.2" },
  { rule: "two CR", text: get("x: a\r"), want: "bare_cr", rfc: "9112 §2.2" },
  { rule: "NUL in a value", text: get("x: a\0b"), want: "bad_field_value", rfc: "9110 §5.5" },
  { rule: "a control in a value", text: get("x: \x0b"), want: "bad_field_value", rfc: "9110 §5.5" },
  { rule: "DEL in a value", text: get("x: \x7f"), want: "bad_field_value", rfc: "9110 §5.5" },
  { rule: "obs-fold", text: get("x: a", " b"), want: "obs_fold", rfc: "9112 §5.2" },
  { rule: "obs-fold with a tab", text: get("x: a", "\tb"), want: "obs_fold", rfc: "9112 §5.2" },
  {
    rule: "space before the first field",
    text: "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    want: "obs_fold",
    rfc: "9112 §2.2",
  },
  {
    rule: "space before the colon",
    text: get("x : a"),
    want: "space_before_colon",
    rfc: "9112 §5.1",
  },
  {
    rule: "tab before the colon",
    text: get("x\t: a"),
    want: "space_before_colon",
    rfc: "9112 §5.1",
  },
  { rule: "no colon", text: get("xyz"), want: "bad_field_name", rfc: "9112 §5" },
  { rule: "no name", text: get(": a"), want: "bad_field_name", rfc: "9112 §5" },
  { rule: "a space in a name", text: get("x y: a"), want: "bad_field_name", rfc: "9112 §5" },
  { rule: "a non-token name", text: get("x(y: a"), want: "bad_field_name", rfc: "9110 §5.1" },
  { rule: "a non-ASCII name", text: get("x\xe4: a"), want: "bad_field_name", rfc: "9110 §5.1" },
  { rule: "no Host", text: "GET / HTTP/1.1\r\n\r\n", want: "host_missing", rfc: "9112 §3.2" },
  { rule: "two Hosts", text: get("Host: b"), want: "host_repeated", rfc: "9112 §3.2" },
  { rule: "two equal Hosts", text: get("Host: a"), want: "host_repeated", rfc: "9112 §3.2" },
  {
    rule: "two Hosts in HTTP/1.0",
    text: "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
    want: "host_repeated",
    rfc: "9112 §3.2",
  },
  {
    rule: "a list in Host",
    text: "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
    want: "host_invalid",
    rfc: "9112 §3.2",
  },
  {
    rule: "an empty Host",
    text: "GET / HTTP/1.1\r\nHost:\r\n\r\n",
    want: "host_invalid",
    rfc: "9110 §4.2.1",
  },
  {
    rule: "a path in Host",
    text: "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    want: "host_invalid",
    rfc: "9112 §3.2",
  },
  {
    rule: "user information in Host",
    text: "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
    want: "host_invalid",
    rfc: "9112 §3.2",
  },
  {
    rule: "an absolute target of another host",
    text: "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
    want: "host_mismatch",
    rfc: "9112 §3.2.2",
  },
  {
    rule: "an absolute target of another port",
    text: "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n",
    want: "host_mismatch",
    rfc: "9112 §3.2.2",
  },
  {
    rule: "length and coding",
    text: get("Content-Length: 4", "Transfer-Encoding: chunked"),
    want: "length_with_coding",
    rfc: "9112 §6.1",
  },
  {
    rule: "coding and length",
    text: get("Transfer-Encoding: chunked", "Content-Length: 4"),
    want: "length_with_coding",
    rfc: "9112 §6.1",
  },
  {
    rule: "differing lengths",
    text: get("Content-Length: 4", "Content-Length: 5"),
    want: "length_repeated",
    rfc: "9112 §6.3",
  },
  {
    rule: "equal lengths",
    text: get("Content-Length: 4", "Content-Length: 4"),
    want: "length_repeated",
    rfc: "9112 §6.3",
  },
  {
    rule: "a list of lengths",
    text: get("Content-Length: 4, 4"),
    want: "length_invalid",
    rfc: "9112 §6.3",
  },
  {
    rule: "a length with +",
    text: get("Content-Length: +4"),
    want: "length_invalid",
    rfc: "9110 §8.6",
  },
  {
    rule: "a length with -",
    text: get("Content-Length: -4"),
    want: "length_invalid",
    rfc: "9110 §8.6",
  },
  {
    rule: "a hexadecimal length",
    text: get("Content-Length: 0x4"),
    want: "length_invalid",
    rfc: "9110 §8.6",
  },
  {
    rule: "a length with a fraction",
    text: get("Content-Length: 4.0"),
    want: "length_invalid",
    rfc: "9110 §8.6",
  },
  {
    rule: "an empty length",
    text: get("Content-Length:"),
    want: "length_invalid",
    rfc: "9110 §8.6",
  },
  {
    rule: "a length of 2^64",
    text: get("Content-Length: 18446744073709551616"),
    want: "length_invalid",
    rfc: "9110 §8.6",
  },
  {
    rule: "a length over the limit",
    text: get("Content-Length: 16777217"),
    want: "body_too_large",
    rfc: "9110 §15.5.14",
  },
  {
    rule: "xchunked",
    text: get("Transfer-Encoding: xchunked"),
    want: "coding_unknown",
    rfc: "9112 §6.1",
  },
  {
    rule: "identity, chunked",
    text: get("Transfer-Encoding: identity, chunked"),
    want: "coding_unknown",
    rfc: "9112 §6.1",
  },
  {
    rule: "gzip, chunked",
    text: get("Transfer-Encoding: gzip, chunked"),
    want: "coding_unknown",
    rfc: "9112 §6.1",
  },
  {
    rule: "chunked, chunked",
    text: get("Transfer-Encoding: chunked, chunked"),
    want: "coding_unknown",
    rfc: "9112 §6.1",
  },
  {
    rule: "chunked with a parameter",
    text: get("Transfer-Encoding: chunked;a"),
    want: "coding_unknown",
    rfc: "9112 §7",
  },
  {
    rule: "an empty coding",
    text: get("Transfer-Encoding:"),
    want: "coding_unknown",
    rfc: "9112 §6.1",
  },
  {
    rule: "two codings",
    text: get("Transfer-Encoding: chunked", "Transfer-Encoding: x"),
    want: "coding_repeated",
    rfc: "9112 §6.1",
  },
  {
    rule: "VT before chunked",
    text: get("Transfer-Encoding: \x0bchunked"),
    want: "bad_field_value",
    rfc: "9110 §5.5",
  },
  {
    rule: "coding in HTTP/1.0",
    text: "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    want: "coding_on_http10",
    rfc: "9112 §6.1",
  },
  {
    rule: "another expectation",
    text: get("Expect: 200-ok"),
    want: "expectation_unknown",
    rfc: "9110 §10.1.1",
  },
  {
    rule: "two expectations",
    text: get("Expect: 100-continue", "Expect: x"),
    want: "expectation_unknown",
    rfc: "9110 §10.1.1",
  },
  { rule: "101 fields", text: get(...tooMany), want: "too_many_fields", rfc: "6585 §5" },
  {
    rule: "a long target",
    text: `GET /${"a".repeat(8192)} HTTP/1.1\r\n`,
    want: "target_too_long",
    rfc: "9110 §15.5.15",
  },
  {
    rule: "an endless target",
    text: `GET /${"a".repeat(9000)}`,
    want: "target_too_long",
    rfc: "9110 §15.5.15",
  },
  {
    rule: "a long field",
    text: get(`x: ${"a".repeat(8190)}`),
    want: "field_too_large",
    rfc: "6585 §5",
  },
  {
    rule: "an endless field",
    text: `GET / HTTP/1.1\r\nx: ${"a".repeat(9000)}`,
    want: "field_too_large",
    rfc: "6585 §5",
  },
  {
    rule: "many long fields",
    text: get(...Array(5).fill(`x: ${"a".repeat(8000)}`)),
    want: "head_too_large",
    rfc: "6585 §5",
  },
];

for (const { rule, text, want, rfc } of refused) {
  Deno.test(`a head with ${rule} is ${want} (RFC ${rfc})`, () => {
    assert.equal(parse(text), want);
    assert.ok(rejectionStatus[want] >= 400);
  });
}

const accepted: {
  rule: string;
  text: string;
  rfc: string;
  want: { [Key in keyof ParsedHead]?: ParsedHead[Key] };
  head?: Partial<ParsedHead["head"]>;
}[] = [
  {
    rule: "fields in order, names in lower case, values trimmed",
    text: "GET /a?b=%20c HTTP/1.1\r\nHOST:a\r\nX: \t a\tb \t\r\nx:\r\n\r\n",
    rfc: "9112 §5",
    want: { minorVersion: 1, keepAlive: true, host: "a", body: { kind: "none" } },
    head: { method: "GET", target: "/a?b=%20c", fields: [["host", "a"], ["x", "a\tb"], ["x", ""]] },
  },
  { rule: "an empty line first", text: `\r\n${get()}`, rfc: "9112 §2.2", want: {} },
  {
    rule: "obs-text",
    text: get("x: \xe4\x80"),
    rfc: "9110 §5.5",
    want: {},
    head: { fields: [["host", "a"], ["x", "\xe4\x80"]] },
  },
  {
    rule: "HTTP/1.0",
    text: "GET / HTTP/1.0\r\n\r\n",
    rfc: "9112 §9.3",
    want: { minorVersion: 0, keepAlive: false, host: undefined },
  },
  {
    rule: "HTTP/1.0 keep-alive",
    text: "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
    rfc: "9112 §9.3",
    want: { keepAlive: true },
  },
  {
    rule: "HTTP/1.2 as 1.1",
    text: "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    rfc: "9110 §2.5",
    want: { minorVersion: 1 },
  },
  {
    rule: "Connection: close",
    text: get("Connection: x, Close"),
    rfc: "9112 §9.6",
    want: { keepAlive: false },
  },
  {
    rule: "close over keep-alive",
    text: get("Connection: keep-alive", "Connection: close"),
    rfc: "9112 §9.3",
    want: { keepAlive: false },
  },
  {
    rule: "a length",
    text: get("Content-Length: 004"),
    rfc: "9110 §8.6",
    want: { body: { kind: "fixed", bytes: 4 } },
  },
  {
    rule: "a length of 0",
    text: get("Content-Length: 0"),
    rfc: "9110 §8.6",
    want: { body: { kind: "none" } },
  },
  {
    rule: "chunked in any case",
    text: get("Transfer-Encoding: Chunked"),
    rfc: "9112 §7",
    want: { body: { kind: "chunked" } },
  },
  {
    rule: "an expectation",
    text: get("Content-Length: 1", "Expect: 100-Continue"),
    rfc: "9110 §10.1.1",
    want: { expectsContinue: true },
  },
  {
    rule: "an expectation without a body",
    text: get("Expect: 100-continue"),
    rfc: "9110 §10.1.1",
    want: { expectsContinue: false },
  },
  {
    rule: "absolute-form",
    text: "GET HTTP://A:80/b?c HTTP/1.1\r\nHost: a\r\n\r\n",
    rfc: "9112 §3.2.2",
    want: {},
    head: { target: "/b?c" },
  },
  {
    rule: "absolute-form without a path",
    text: "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n",
    rfc: "9112 §3.2.2",
    want: {},
    head: { target: "/" },
  },
  {
    rule: "absolute-form with only a query",
    text: "GET http://a?b HTTP/1.1\r\nHost: a\r\n\r\n",
    rfc: "9112 §3.2.2",
    want: {},
    head: { target: "/?b" },
  },
  {
    rule: "OPTIONS *",
    text: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    rfc: "9112 §3.2.4",
    want: {},
    head: { target: "*" },
  },
  {
    rule: "OPTIONS of a whole server",
    text: "OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n",
    rfc: "9112 §3.2.4",
    want: {},
    head: { target: "*" },
  },
  {
    rule: "another method",
    text: "M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n",
    rfc: "9110 §9.1",
    want: {},
    head: { method: "M-SEARCH" },
  },
  {
    rule: "what browsers leave in a query",
    text: "GET /?a=[|]^{`} HTTP/1.1\r\nHost: a\r\n\r\n",
    rfc: "9112 §3.2.1",
    want: {},
    head: { target: "/?a=[|]^{`}" },
  },
  {
    rule: "a target of 8 KiB",
    text: `GET /${"a".repeat(8191)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    rfc: "9112 §3",
    want: {},
  },
  { rule: "100 fields", text: get(...tooMany.slice(1)), rfc: "9112 §5", want: {} },
  { rule: "a field of 8 KiB", text: get(`x: ${"a".repeat(8189)}`), rfc: "9112 §5", want: {} },
];

for (const { rule, text, rfc, want, head } of accepted) {
  Deno.test(`a head with ${rule} is read (RFC ${rfc})`, () => {
    const parsed = parse(text);
    assert.ok(typeof parsed === "object", String(parsed));
    assert.deepEqual(parsed, { ...parsed, ...want, headBytes: text.length });
    assert.deepEqual(parsed.head, { ...parsed.head, ...head });
    assert.deepEqual(parse(`${text}GET /next HTTP/1.1\r\n`), parsed);
  });
}

Deno.test("a head is needed whole", () => {
  const text = get("x: a");
  for (let end = 0; end < text.length; end++) {
    assert.equal(parse(text.slice(0, end)), "need_more");
  }
});

Deno.test("a parser starts anew after reset()", () => {
  const parser = new HeadParser(defaultLimits);
  assert.equal(parser.parse(encodeOctets("GET /first HTTP/1.1\r\nHo")), "need_more");
  parser.reset();
  const parsed = parser.parse(encodeOctets("\r\n" + get()));
  assert.ok(typeof parsed === "object" && parsed.head.target === "/");
  assert.equal(parser.method, "GET");
});

/** Feeds `octets` grown step by step, as a connection does. */
function parseInSteps(octets: Uint8Array, ends: readonly number[], limits: Http1Limits): Outcome {
  const parser = new HeadParser(limits);
  for (const end of [...ends].sort((a, b) => a - b)) {
    const outcome = parser.parse(octets.slice(0, Math.min(end, octets.length)));
    if (outcome !== "need_more") return outcome;
  }
  return parser.parse(octets);
}

const fragment = fc.constantFrom(
  ...["GET", " ", "/", "a", "\r", "\n", "\r\n", ":", "Host: a\r\n", " HTTP/1.1\r\n", "\t", "\0"],
  ...["Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n", "\xff", "x: yyyyyyyy\r\n", "#"],
);
const heads = fc.oneof(
  fc.array(fragment, { maxLength: 30 }).map((parts) => parts.join("")),
  fc.array(fragment, { maxLength: 12 }).map((parts) => `GET / HTTP/1.1\r\n${parts.join("")}`),
  fc.constantFrom(...refused.map(({ text }) => text).filter((text) => text.length < 300)),
);
/** Small enough for random text to run into them. */
const tight: Http1Limits = {
  ...defaultLimits,
  maxTargetBytes: 4,
  maxFieldLineBytes: 14,
  maxHeadBytes: 90,
  maxFields: 3,
};

for (const limits of [defaultLimits, tight]) {
  Deno.test(`the outcome does not depend on splits, limit ${limits.maxHeadBytes}`, () => {
    fc.assert(
      fc.property(heads, fc.array(fc.nat(200)), (text, ends) => {
        const octets = encodeOctets(text);
        const whole = parseInSteps(octets, [], limits);
        assert.deepEqual(parseInSteps(octets, ends, limits), whole);
        const each = Array.from({ length: octets.length }, (_, i) => i);
        assert.deepEqual(parseInSteps(octets, each, limits), whole);
      }),
      { numRuns: 400 },
    );
  });
}

Deno.test("random octets never throw, and what passes is well-formed", () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), heads.map(encodeOctets)), (octets) => {
      const outcome = new HeadParser(defaultLimits).parse(octets);
      if (typeof outcome === "string") return;
      assert.match(outcome.head.target, /^(?:\/[!-~]*|\*)$/);
      for (const [name, value] of outcome.head.fields) {
        assert.match(name, /^[!-~]+$/);
        // deno-lint-ignore no-control-regex -- that is what must not be there
        assert.doesNotMatch(value, /[\x00-\x08\x0a-\x1f\x7f]/);
      }
    }),
  );
});
