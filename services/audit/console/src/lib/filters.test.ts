import { expect, it } from "vitest";
import { chipsOf, leavesReadsOut, parseTyped, queryOf, withChip, withoutChip, withReadsToggled } from "./filters";

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

it.each(["", 'outcome eq "failure"', '(a eq "1") or (b eq "2")'])(
  "leaves the reads out of %j, and takes them back",
  (given) => {
    const search = new URLSearchParams(given ? { q: "x", filter: given } : { q: "x" });
    const without = withReadsToggled(search);
    expect(without.get("filter")).toContain(given ? `(${given}) and not (event_type eq` : "not (event_type eq");
    expect([leavesReadsOut(search), leavesReadsOut(without)]).toEqual([false, true]);
    const back = withReadsToggled(without);
    expect(leavesReadsOut(back)).toBe(false);
    expect(back.get("q")).toBe("x");
    expect((back.get("filter") ?? "").replace(/^\((.*)\)$/, "$1")).toContain(given.slice(1, -1));
  },
);
