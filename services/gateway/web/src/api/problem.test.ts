import { expect, it } from "vitest";
import { wordsFor } from "../words";
import { Problem, problemFrom, silence } from "./problem";

it("keeps the gateway's code, fields and waiting time", () => {
  const problem = problemFrom(
    429,
    { code: "too_many_attempts", status: 429, errors: [{ field: "code", message: "Six digits, please." }] },
    new Headers({ "Retry-After": "45" }),
  );
  expect(problem.code).toBe("too_many_attempts");
  expect(problem.fieldMessage("code")).toBe("Six digits, please.");
  expect(wordsFor(problem).text).toBe("You can try again in 45 seconds.");
});

it.each([
  [502, "provider_busy"],
  [500, "internal"],
  [404, "not_found"],
  [429, "too_many_attempts"],
  [400, "invalid_request"],
])("names status %i by itself when a proxy answered with something else than a problem", (status, code) => {
  expect(problemFrom(status, "<html>", new Headers()).code).toBe(code);
});

it("shows the gateway's own words for a code that it does not know", () => {
  const problem = new Problem({ status: 418, code: "teapot", title: "Short and stout", detail: "Tip me over." });
  expect(wordsFor(problem)).toEqual({ title: "Short and stout", text: "Tip me over." });
});

it("never shows the text of an unexpected error", () => {
  expect(JSON.stringify(wordsFor(new TypeError("secret stack")))).not.toContain("secret");
});

it("says that silence is not an answer", () => {
  expect(silence().answered).toBe(false);
});
