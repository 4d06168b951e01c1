import { useNow } from "./clock";

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/**
 * "3 minutes ago", "in 2 days"; below a minute, "just now" or "in less than a minute".
 *
 * What is past counts in whole units gone by; what is to come is rounded, so that 11 h 59 min reads "in 12 hours".
 */
export function relativeTime(time: number, now: number): string {
  const seconds = Math.round((time - now) / 1000);
  for (const [unit, size] of STEPS) {
    const isWhole = seconds > 0 ? seconds >= size * 0.99 : -seconds >= size;
    const count = seconds > 0 ? Math.round(seconds / size) : Math.trunc(seconds / size);
    if (isWhole) return new Intl.RelativeTimeFormat("en", { numeric: "always" }).format(count, unit);
  }
  return seconds <= 0 ? "just now" : "in less than a minute";
}

/** "22 Nov 2026, 09:14 GMT+1", in the person's own zone. */
export function exactTime(time: number): string {
  return new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
  }).format(time);
}

interface TimeTextProps {
  time: string;
  /** Only the relative time is drawn; the exact one is in the tooltip. For lists, where the eye compares. */
  brief?: boolean;
}

/** A time as people read it, relative and exact. */
export function TimeText({ time, brief = false }: TimeTextProps) {
  const now = useNow(15_000);
  const at = Date.parse(time);
  if (Number.isNaN(at)) return <span>{time}</span>;
  if (brief) {
    return (
      <time dateTime={time} title={exactTime(at)}>
        {relativeTime(at, now)}
      </time>
    );
  }
  return (
    <time dateTime={time}>
      {relativeTime(at, now)}
      {" · "}
      {exactTime(at)}
    </time>
  );
}
