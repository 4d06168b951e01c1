import type { ReactNode } from "react";
import classes from "./Account.module.css";

/** One fact of a list: what it is, and how it stands. */
export function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={classes.row}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
