import { UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { OUTCOMES, type Bucket, type Outcome, type Stats } from "../api/types";
import { OUTCOME_COLORS } from "../components/Bits";
import { Number, Table } from "../components/Table";
import { brief, count } from "../lib/format";
import classes from "./Charts.module.css";

interface VolumeProps {
  stats: Stats;
  /** Called with the ends of the bar that was pressed, RFC 3339. */
  onPick?: (from: string, to: string) => void;
}

const SIZES: Record<Bucket, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

function bucketName(start: string, by: Bucket): string {
  const parts: Intl.DateTimeFormatOptions =
    by === "day" ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
  const withDay: Intl.DateTimeFormatOptions = by === "hour" ? { day: "numeric", month: "short" } : {};
  return new Intl.DateTimeFormat("en-GB", { ...withDay, ...parts }).format(Date.parse(start));
}

/** How much happened, and how it ended, over time: a stack of bars, or the same as a table. */
export function Volume({ stats, onPick }: VolumeProps) {
  const [isTable, setTable] = useState(false);
  const [at, setAt] = useState<number | null>(null);
  const series = OUTCOMES.flatMap((outcome) => stats.series.filter(({ key }) => key === outcome));
  const totals = stats.starts.map((_, place) => series.reduce((sum, { counts }) => sum + (counts[place] ?? 0), 0));
  const highest = Math.max(1, ...totals);

  return (
    <figure className={classes.figure}>
      <div className={classes.legend}>
        {series.map(({ key, counts, total }) => (
          <span key={key} style={{ "--color": OUTCOME_COLORS[key as Outcome] }}>
            {key} <b>{count(at === null ? total : (counts[at] ?? 0))}</b>
          </span>
        ))}
        <span className={classes.readout}>{at === null ? "" : bucketName(stats.starts[at] ?? "", stats.by)}</span>
        <UnstyledButton className={classes.toggle} aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          {isTable ? "As a chart" : "As a table"}
        </UnstyledButton>
      </div>
      {isTable ? (
        <div className={classes.tableRoom}>
          <Table label="Events over time" heads={["Start", ...series.map(({ key }) => key)]} numbers={[1, 2, 3, 4, 5]}>
            {stats.starts.map((start, place) => (
              <tr key={start}>
                <td>{bucketName(start, stats.by)}</td>
                {series.map(({ key, counts }) => (
                  <Number key={key}>{count(counts[place] ?? 0)}</Number>
                ))}
              </tr>
            ))}
          </Table>
        </div>
      ) : (
        <Bars {...{ stats, series, totals, highest, at, setAt, onPick }} />
      )}
    </figure>
  );
}

interface BarsProps extends VolumeProps {
  series: Stats["series"];
  totals: number[];
  highest: number;
  at: number | null;
  setAt: (at: number | null) => void;
}

function Bars({ stats, series, totals, highest, at, setAt, onPick }: BarsProps) {
  const { starts, by } = stats;
  const words = `${count(stats.total)} events over time, by outcome. At most ${count(highest)} a ${by}.`;
  const pick = (place: number) => {
    const start = starts[place];
    if (start) onPick?.(start, new Date(Date.parse(start) + SIZES[by]).toISOString());
  };
  const ends = [starts[0], starts[Math.floor(starts.length / 2)], starts[starts.length - 1]];
  return (
    <div className={classes.plot}>
      <span className={classes.highest}>{brief(highest)}</span>
      <svg
        className={classes.bars}
        viewBox={`0 0 ${String(Math.max(1, starts.length))} 100`}
        preserveAspectRatio="none"
        role="img"
        aria-label={words}
        onMouseLeave={() => setAt(null)}
      >
        {starts.map((start, place) => {
          let top = 100;
          return (
            // A press narrows the search to this bar; the same is done by keyboard with from and to.
            <g
              key={start}
              className={onPick ? classes.pickable : undefined}
              onMouseEnter={() => setAt(place)}
              onClick={() => pick(place)}
            >
              <rect x={place} width={1} y={0} height={100} fill={at === place ? "var(--cs-sunken)" : "transparent"} />
              {series.map(({ key, counts }) => {
                const height = ((counts[place] ?? 0) / highest) * 98;
                top -= height;
                return height > 0 ? (
                  <rect
                    key={key}
                    x={place + 0.1}
                    width={0.8}
                    y={top}
                    height={Math.max(height, 0.8)}
                    fill={OUTCOME_COLORS[key as Outcome]}
                  />
                ) : null;
              })}
              {totals[place] === 0 ? (
                <rect x={place + 0.1} width={0.8} y={99.2} height={0.8} fill="var(--cs-line)" />
              ) : null}
            </g>
          );
        })}
      </svg>
      <div className={classes.axis} aria-hidden="true">
        {ends.map((start, place) => (
          <span key={place}>{start ? bucketName(start, by) : ""}</span>
        ))}
      </div>
    </div>
  );
}
