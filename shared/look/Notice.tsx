import { IconAlertCircle, IconAlertTriangle, IconInfoCircle } from "@tabler/icons-react";
import type { ReactNode, Ref } from "react";
import classes from "./Notice.module.css";

type Tone = "danger" | "warn" | "info";

const ICONS = { danger: IconAlertCircle, warn: IconAlertTriangle, info: IconInfoCircle };

interface NoticeProps {
  tone: Tone;
  title: string;
  children?: ReactNode;
  /** For notices that take the focus after a failed submission. */
  ref?: Ref<HTMLDivElement>;
}

/** A short message in the page. Trouble is announced at once, the rest when the reader is free. */
export function Notice({ tone, title, children, ref }: NoticeProps) {
  const Icon = ICONS[tone];
  return (
    <div
      ref={ref}
      tabIndex={ref ? -1 : undefined}
      role={tone === "info" ? "status" : "alert"}
      className={`${classes.notice ?? ""} ${classes[tone] ?? ""}`}
    >
      <Icon size={20} stroke={1.8} aria-hidden="true" />
      <p className={classes.title}>{title}</p>
      {children ? <div className={classes.body}>{children}</div> : null}
    </div>
  );
}
