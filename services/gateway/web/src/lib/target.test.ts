import { expect, it } from "vitest";
import { isOurs, safeTarget, withTarget } from "./target";

it.each([
  "https://evil.example/",
  "//evil.example/",
  "/\\evil.example",
  "\\\\evil.example",
  "javascript:alert(1)",
  "/v1/session",
  "/sign-in",
  "/confirm?to=%2Fconfirm",
  "/sign-in?to=%2Fsign-in",
  "",
  "account",
])("refuses to go to %s after sign-in", (to) => {
  expect(safeTarget(to)).toBe("/account");
});

it.each(["/account", "/account?tab=1#name", "/audit/events?type=sign_in.failed"])("goes to %s after sign-in", (to) => {
  expect(safeTarget(to)).toBe(to);
});

it("carries a target along and leaves out the usual one", () => {
  expect(withTarget("/sign-in", "/audit/?q=a b")).toBe("/sign-in?to=%2Faudit%2F%3Fq%3Da%2520b");
  expect(withTarget("/sign-in", "/account")).toBe("/sign-in");
  expect(withTarget("/sign-in", null)).toBe("/sign-in");
});

it("knows its own pages from the gateway's", () => {
  expect(isOurs("/account?tab=1")).toBe(true);
  expect(isOurs("/accounting")).toBe(false);
  expect(isOurs("/audit/")).toBe(false);
});
