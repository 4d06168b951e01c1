import type { ReactNode } from "react";
import type { Outcome, Severity } from "../api/types";
import classes from "./Bits.module.css";

export const OUTCOME_COLORS: Record<Outcome, string> = {
  success: "var(--cs-success)",
  failure: "var(--cs-failure)",
  denied: "var(--cs-denied)",
  error: "var(--cs-error)",
  pending: "var(--cs-pending)",
};

/** How something ended: a colour, a shape and the word. */
export function OutcomeMark({ outcome }: { outcome: Outcome }) {
  return (
    <span
      className={`${classes.outcome ?? ""} ${classes[outcome] ?? ""}`}
      style={{ "--outcome": OUTCOME_COLORS[outcome] }}
    >
      {outcome}
    </span>
  );
}

export type Tone = "plain" | "good" | "warn" | "danger";

export function Badge({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`${classes.badge ?? ""} ${classes[tone] ?? ""}`}>{children}</span>;
}

const SEVERITY_TONES: Record<Severity, Tone> = { low: "plain", medium: "warn", high: "danger", critical: "danger" };

export function SeverityBadge({ severity }: { severity: Severity }) {
  return <Badge tone={SEVERITY_TONES[severity]}>{severity}</Badge>;
}
