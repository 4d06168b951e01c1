import type { Icon } from "@tabler/icons-react";
import classes from "./Awaiting.module.css";

/** What is awaited from elsewhere: quietly alive while nothing happens. */
export function Awaiting({ Icon, label }: { Icon: Icon; label: string }) {
  return (
    <div className={classes.box} role="status">
      <span className={classes.pulse}>
        <Icon size={30} stroke={1.6} aria-hidden="true" />
      </span>
      <span>{label}…</span>
    </div>
  );
}
