import type { ReactNode } from "react";
import type { Top } from "../api/types";
import { count, share } from "../lib/format";
import classes from "./Charts.module.css";

interface RankingProps {
  label: string;
  top: Top;
  draw: (value: string) => ReactNode;
}

/** The values that occur most: a table whose rows are bars. */
export function Ranking({ label, top, draw }: RankingProps) {
  const highest = Math.max(1, ...top.values.map((one) => one.count));
  return (
    <table className={classes.ranking} aria-label={label}>
      <thead>
        <tr>
          <th scope="col">Value</th>
          <th scope="col">Events</th>
          <th scope="col">Share</th>
        </tr>
      </thead>
      <tbody>
        {top.values.map((one) => (
          <tr key={one.value ?? ""} style={{ "--share": `${String((one.count / highest) * 100)}%` }}>
            <td>{one.value === null ? "none" : draw(one.value)}</td>
            <td>{count(one.count)}</td>
            <td>{share(one.count, top.total)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
