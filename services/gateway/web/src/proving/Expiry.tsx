import { VisuallyHidden } from "@mantine/core";
import { minutesAndSeconds, secondsUntil, useNow } from "@look/clock";

/** Counts down to the end; the last minute is said aloud once. */
export function Expiry({ expiresAt, label = "Expires in" }: { expiresAt: string; label?: string }) {
  const seconds = secondsUntil(expiresAt, useNow(500));
  const text = `${label} ${minutesAndSeconds(seconds)}`;
  return (
    <>
      <span role="timer">{seconds <= 60 ? <strong>{text}</strong> : text}</span>
      <VisuallyHidden role="status">{seconds > 0 && seconds <= 60 ? "Less than a minute left." : ""}</VisuallyHidden>
    </>
  );
}
