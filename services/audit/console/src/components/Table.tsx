import { VisuallyHidden } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Table.module.css";

interface TableProps {
  /** What it lists, for those who hear it. */
  label: string;
  heads: string[];
  /** The columns, by place, that hold numbers. */
  numbers?: number[];
  children: ReactNode;
}

export function Table({ label, heads, numbers = [], children }: TableProps) {
  return (
    // A wide table scrolls in itself, by keyboard as well.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={classes.scroller} role="group" aria-label={label} tabIndex={0}>
      <table className={classes.table} aria-label={label}>
        <thead>
          <tr>
            {heads.map((head, place) => (
              <th key={head} scope="col" className={numbers.includes(place) ? classes.number : undefined}>
                {head || <VisuallyHidden>Actions</VisuallyHidden>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Number({ children }: { children: ReactNode }) {
  return <td className={classes.number}>{children}</td>;
}
