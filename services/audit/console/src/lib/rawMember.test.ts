import { expect, it } from "vitest";
import { rawMember } from "./rawMember";

it.each([
  ['{"event":{"a":1.0,"b":"}\\"{"},"leaf":"x"}', "event", '{"a":1.0,"b":"}\\"{"}'],
  [' { "x" : [1, {"event": 2}] , "event" : { "n" : 1e3 } } ', "event", '{ "n" : 1e3 }'],
  ['{"event":null,"erased":true}', "event", "null"],
  ['{"a":1.50,"b":true}', "a", "1.50"],
  ['{"a":"\\\\","b":-0}', "b", "-0"],
  ['{"a":[]}', "a", "[]"],
  ['{"ev\\u0065nt":1}', "event", "1"],
])("cuts the value out of %s as it stands", (json, name, raw) => {
  expect(rawMember(json, name)).toBe(raw);
});

it.each(["{}", "[]", '{"a":{"event":1}}', "null"])("finds nothing in %s", (json) => {
  expect(rawMember(json, "event")).toBeNull();
});
