import { expect, it } from "vitest";
import { chipsOf, parseTyped, queryOf, withChip, withoutChip } from "./filters";

it.each([
  ["type:sign_in. outcome:failure", ["type=sign_in.", "outcome=failure"]],
  ["192.0.2.0/24", ["ip=192.0.2.0/24"]],
  ["2001:db8::7", ["ip=2001:db8::7"]],
  ["ada@example.test", ["email=ada@example.test"]],
  ['q:"two words" Chrome', ["q=two words", "q=Chrome"]],
  ["magic link", ["q=magic link"]],
  ["nothing:known", ["q=nothing:known"]],
  ['filter:"client.country eq DE"', ["filter=client.country eq DE"]],
  ["   ", []],
])("reads %j as it was meant", (text, expected) => {
  expect(parseTyped(text).map(({ field, value }) => `${field}=${value}`)).toEqual(expected);
});

it("keeps one value where the service takes one, and several where it takes several", () => {
  let search = new URLSearchParams("last=1h");
  for (const chip of parseTyped("type:a type:b ip:192.0.2.1 ip:192.0.2.2 type:a")) search = withChip(search, chip);
  expect(chipsOf(search)).toEqual([
    { field: "type", value: "a" },
    { field: "type", value: "b" },
    { field: "ip", value: "192.0.2.2" },
  ]);
  expect(chipsOf(withoutChip(search, { field: "type", value: "a" }))).toHaveLength(2);
});

it("turns a span into a time, unless one was given", () => {
  const now = Date.parse("2026-01-02T03:04:05Z");
  expect(queryOf(new URLSearchParams("last=1h&q=x"), now)).toEqual({ q: "x", from: "2026-01-02T02:04:05.000Z" });
  const given = withChip(new URLSearchParams("last=1h"), { field: "from", value: "2026-01-01T00:00:00Z" });
  expect(queryOf(given, now)).toEqual({ from: "2026-01-01T00:00:00Z" });
  expect(queryOf(new URLSearchParams("last=forever&other=1"), now)).toEqual({});
});
