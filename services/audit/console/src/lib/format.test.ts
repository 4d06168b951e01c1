import { expect, it } from "vitest";
import { clockTime, minuteTime } from "./format";

const NOW = new Date(2026, 0, 2, 12).getTime();

it.each([
  [new Date(2026, 0, 2, 9, 14, 3, 120), "09:14:03.120", "09:14"],
  [new Date(2026, 0, 1, 9, 14, 3, 120), "1 Jan 09:14:03.120", "1 Jan 09:14"],
  [new Date(2025, 0, 2, 9, 14, 3, 120), "2 Jan 2025 09:14:03.120", "2 Jan 2025 09:14"],
])("names day and year where they are not today's (%#)", (at, precise, short) => {
  expect([clockTime(at.toISOString(), NOW), minuteTime(at.getTime(), NOW)]).toEqual([precise, short]);
});
