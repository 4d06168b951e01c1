import type { Gap, ProducerReport } from "../api/types";
import { count } from "../lib/format";
import classes from "./Charts.module.css";

/** One producer's events as a track from its first number to its last, with a hole wherever one is missing. */
export function Track({ producer, slim = false }: { producer: ProducerReport; slim?: boolean }) {
  const length = producer.last_seq + 1;
  const left = (gap: Gap) => `${String((gap.first_seq / length) * 100)}%`;
  const width = (gap: Gap) => `${String((gap.count / length) * 100)}%`;
  const words =
    producer.missing === 0
      ? `All ${count(length)} events are there.`
      : `${count(producer.missing)} of ${count(length)} events are missing.`;
  return (
    <div
      className={slim ? `${classes.track ?? ""} ${classes.slim ?? ""}` : classes.track}
      role="img"
      aria-label={words}
    >
      {producer.explained_gaps.map((gap) => (
        <span
          key={gap.first_seq}
          className={classes.explained}
          style={{ left: left(gap), width: width(gap) }}
          title={`${String(gap.first_seq)} to ${String(gap.last_seq)}: in quarantine`}
        />
      ))}
      {producer.open_gaps.map((gap) => (
        <span
          key={gap.first_seq}
          className={classes.hole}
          style={{ left: left(gap), width: width(gap) }}
          title={`${String(gap.first_seq)} to ${String(gap.last_seq)}: missing`}
        />
      ))}
    </div>
  );
}
