import { afterEach, expect, it, vi } from "vitest";
import { learnServerTime, minutesAndSeconds, secondsUntil, serverNow } from "@look/clock";
import { exactTime, relativeTime } from "@look/TimeText";

afterEach(() => learnServerTime(new Date().toUTCString()));

it("goes by the gateway's clock when the device's is wrong", () => {
  vi.useFakeTimers({ now: Date.parse("2026-01-01T00:10:00Z") });
  learnServerTime("Thu, 01 Jan 2026 00:00:00 GMT");
  expect(Math.abs(serverNow() - Date.parse("2026-01-01T00:00:00Z"))).toBeLessThan(1000);
});

it("takes a second's difference for noise and a bad header for none", () => {
  vi.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00Z") });
  learnServerTime("Thu, 01 Jan 2026 00:00:00 GMT");
  learnServerTime("nonsense");
  learnServerTime(null);
  expect(serverNow()).toBe(Date.now());
});

it("counts down to nought and no further", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(secondsUntil("2026-01-01T00:00:30.2Z", now)).toBe(31);
  expect(secondsUntil("2025-12-31T23:59:00Z", now)).toBe(0);
  expect(minutesAndSeconds(545)).toBe("9:05");
});

it("tells times as people do, with the zone", () => {
  const now = Date.parse("2026-01-01T12:00:00Z");
  expect(relativeTime(now - 20_000, now)).toBe("just now");
  expect(relativeTime(now - 150_000, now)).toBe("2 minutes ago");
  expect(relativeTime(now + 43_190_000, now)).toBe("in 12 hours");
  expect(relativeTime(now + 3_590_000, now)).toBe("in 1 hour");
  expect(relativeTime(now + 30_000, now)).toBe("in less than a minute");
  expect(exactTime(now)).toMatch(/1 Jan 2026, \d\d:00 \S+/);
});
