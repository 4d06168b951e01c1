import { renderHook } from "@testing-library/react";
import { expect, it } from "vitest";
import { useIntent } from "./intent";
import { Problem, silence } from "./problem";

async function keysFor(steps: { body: object; outcome: Error | null }[]): Promise<string[]> {
  const { result } = renderHook(() => useIntent());
  const keys: string[] = [];
  for (const { body, outcome } of steps) {
    await result
      .current(body, (key) => {
        keys.push(key);
        return outcome ? Promise.reject(outcome) : Promise.resolve();
      })
      .catch(() => undefined);
  }
  return keys;
}

it("keeps its key when nothing came back and the same thing is tried again", async () => {
  const [first, second] = await keysFor([
    { body: { code: "1" }, outcome: silence() },
    { body: { code: "1" }, outcome: null },
  ]);
  expect(second).toBe(first);
});

it.each([
  ["a success", null],
  ["a refusal", new Problem({ status: 503, code: "provider_busy" })],
])("takes a new key after %s", async (_name, outcome) => {
  const [first, second] = await keysFor([
    { body: { code: "1" }, outcome },
    { body: { code: "1" }, outcome: null },
  ]);
  expect(second).not.toBe(first);
});

it("takes a new key when something else is sent", async () => {
  const [first, second] = await keysFor([
    { body: { code: "1" }, outcome: silence() },
    { body: { code: "2" }, outcome: null },
  ]);
  expect(second).not.toBe(first);
});
