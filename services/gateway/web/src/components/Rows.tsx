import type { ReactNode } from "react";
import classes from "./Rows.module.css";

/** A list of things that are somebody's, each with what can be done to it. */
export function Rows({ label, children }: { label: string; children: ReactNode }) {
  return (
    <ul className={classes.rows} aria-label={label}>
      {children}
    </ul>
  );
}

interface ItemProps {
  icon: ReactNode;
  title: ReactNode;
  /** Beside the title: "This device". */
  badge?: string | undefined;
  /** Lines below, quiet. */
  children?: ReactNode;
  actions?: ReactNode;
  /** The one action is small: it stays beside the words on a small screen too. */
  isSlight?: boolean;
}

export function Item({ icon, title, badge, children, actions, isSlight = false }: ItemProps) {
  return (
    <li className={classes.row} data-slight={isSlight || undefined}>
      {icon}
      <div className={classes.words}>
        <p className={classes.title}>
          {title}
          {badge ? <span className={classes.badge}>{badge}</span> : null}
        </p>
        {children}
      </div>
      {actions ? <div className={classes.actions}>{actions}</div> : null}
    </li>
  );
}

/** One quiet line of an item; what does not apply is left out. */
export function Line({ children }: { children: ReactNode }) {
  return <p className={classes.line}>{children}</p>;
}
