import classes from "./Mark.module.css";

/** The mark of a product without a logo of its own: a tick, and the tick that answers it. */
export function Mark() {
  return (
    <svg className={classes.mark} viewBox="0 0 32 32" fill="none" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="var(--cs-accent-fill)" />
      <g stroke="var(--cs-on-accent)" strokeWidth="2.9" strokeLinecap="round" strokeLinejoin="round">
        <path d="M7.5 16.6l4.9 5.1L21 9.6" />
        <path d="M16.9 21.4l.4.3L25 11" strokeOpacity="0.62" />
      </g>
    </svg>
  );
}
