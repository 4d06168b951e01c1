import { Loader } from "@mantine/core";
import { IconChevronRight, type Icon } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useSlow } from "@look/waiting";
import classes from "./Ways.module.css";

/** A short list of choices, each a row that is a button. */
export function WayList({ label, children }: { label: string; children: ReactNode }) {
  return (
    <ul className={classes.list} aria-label={label}>
      {children}
    </ul>
  );
}

interface WayButtonProps {
  Icon: Icon;
  title: string;
  hint: string;
  onPress: () => void;
  pending?: boolean;
  /** It cannot be chosen yet; `hint` says from when on. */
  waits?: boolean;
}

export function WayButton({ Icon, title, hint, onPress, pending = false, waits = false }: WayButtonProps) {
  const slow = useSlow(pending);
  return (
    <li>
      <button
        type="button"
        className={classes.way}
        aria-disabled={waits || undefined}
        aria-busy={pending || undefined}
        onClick={() => {
          if (!waits && !pending) onPress();
        }}
      >
        <IconTile Icon={Icon} />
        <span className={classes.words}>
          <span className={classes.title}>{title}</span>
          {hint ? <span className={classes.hint}>{hint}</span> : null}
        </span>
        {slow ? (
          <Loader size={18} color="var(--cs-accent-text)" aria-hidden="true" />
        ) : (
          <IconChevronRight size={18} stroke={1.8} className={classes.chevron} aria-hidden="true" />
        )}
      </button>
    </li>
  );
}

/** An icon on a tile of its own. */
export function IconTile({ Icon }: { Icon: Icon }) {
  return (
    <span className={classes.tile}>
      <Icon size={21} stroke={1.7} aria-hidden="true" />
    </span>
  );
}
