import { serverNow } from "@look/clock";
import { clockTime, exactly, relativeTime } from "../lib/format";
import { useTicker } from "../lib/ticker";
import classes from "./Bits.module.css";

/** A time in a list: the clock to compare by, and how long ago; the whole of it, with its zone, in the tooltip. */
export function RowTime({ time }: { time: string }) {
  const now = useTicker();
  return (
    <time dateTime={time} title={exactly(time)} className={classes.rowTime}>
      <span>{clockTime(time, now)}</span> <span className={classes.quiet}>{relativeTime(Date.parse(time), now)}</span>
    </time>
  );
}

/** A time that is read: relative, and exact with its zone. */
export function When({ time }: { time: string }) {
  useTicker();
  return (
    <time dateTime={time}>
      {exactly(time)} <span className={classes.quiet}>{relativeTime(Date.parse(time), serverNow())}</span>
    </time>
  );
}

/** How long ago, alone. */
export function Ago({ time }: { time: string }) {
  useTicker();
  return (
    <time dateTime={time} title={exactly(time)}>
      {relativeTime(Date.parse(time), serverNow())}
    </time>
  );
}
