import { Loader } from "@mantine/core";
import { useSlow } from "@look/waiting";
import classes from "./Loaded.module.css";

/** Says what is being waited for, once the wait is long enough to notice. */
export function Waiting({ label }: { label: string }) {
  const slow = useSlow(true);
  return (
    <div role="status" className={classes.empty}>
      {slow ? (
        <>
          <Loader size={22} color="var(--cs-accent-text)" aria-hidden="true" />
          <span>{label}…</span>
        </>
      ) : null}
    </div>
  );
}
