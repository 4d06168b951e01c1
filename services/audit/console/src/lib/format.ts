import { relativeTime } from "@look/TimeText";

export const count = (number: number): string => new Intl.NumberFormat("en").format(number);

/** "50+" where the list goes on behind its first page. */
export const atLeast = (number: number, next: string | null | undefined): string => count(number) + (next ? "+" : "");

/** "12.4k": for axes, where the eye compares. */
export const brief = (number: number): string =>
  new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(number).toLowerCase();

export function share(part: number, whole: number): string {
  if (whole === 0) return "0%";
  const percent = (part / whole) * 100;
  return percent > 0 && percent < 0.1 ? "<0.1%" : `${percent.toFixed(percent < 10 ? 1 : 0)}%`;
}

/** "22 Nov 2026, 09:14:03.120 GMT+1", in the reader's own zone. */
export function exactly(time: string): string {
  const at = Date.parse(time);
  // What somebody wrote into a filter by hand is shown as it stands.
  if (isNaN(at)) return time;
  return new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    timeZoneName: "short",
  }).format(at);
}

const MINUTE: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };

/** "09:14:03.120"; with the day when that is not today, and with the year when it is not this one. */
export function clockTime(time: string, now: number): string {
  return timeOfDay(new Date(time), now, { ...MINUTE, second: "2-digit", fractionalSecondDigits: 3 });
}

/** "09:14"; with day and year as `clockTime`. */
export function minuteTime(time: string | number, now: number): string {
  return timeOfDay(new Date(time), now, MINUTE);
}

function timeOfDay(at: Date, now: number, clock: Intl.DateTimeFormatOptions): string {
  const words = new Intl.DateTimeFormat("en-GB", clock).format(at);
  const today = new Date(now);
  if (at.toDateString() === today.toDateString()) return words;
  const year = at.getFullYear() === today.getFullYear() ? undefined : "numeric";
  return `${new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year }).format(at)} ${words}`;
}

/** "GMT+1": the zone that all times are shown in. */
export function zone(): string {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts();
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "UTC";
}

/** "2 s", "4 min", "3 h": for ages that are looked at, not read. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${String(Math.round(seconds))} s`;
  if (seconds < 5400) return `${String(Math.round(seconds / 60))} min`;
  if (seconds < 129_600) return `${String(Math.round(seconds / 3600))} h`;
  return `${String(Math.round(seconds / 86_400))} d`;
}

/** The name of whoever acted: an id, or a kind and an id. */
export function actorName(actor: string | { kind: string | null; id: string | null } | null | undefined): string {
  if (!actor) return "";
  return typeof actor === "string" ? actor : [actor.kind, actor.id].filter(Boolean).join(" ");
}

// What is not said in lower case.
const METHOD_WORDS: Record<string, string> = { otp: "code", sms: "SMS", qr: "QR", whatsapp: "WhatsApp" };

/** "Email code" for EMAIL_OTP, "SMS" for SMS. */
export function methodName(method: string): string {
  const words = method
    .toLowerCase()
    .split("_")
    .map((word) => METHOD_WORDS[word] ?? word)
    .join(" ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const COUNTRIES = new Intl.DisplayNames("en", { type: "region" });

export function countryName(code: string): string {
  try {
    return COUNTRIES.of(code) ?? code;
  } catch {
    return code;
  }
}

export { relativeTime };
