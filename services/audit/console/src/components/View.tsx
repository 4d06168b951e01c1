import { Title } from "@mantine/core";
import { useEffect, useRef, type ReactNode } from "react";
import { NavigationType, useLocation, useNavigationType } from "react-router";
import classes from "./View.module.css";

interface ViewProps {
  title: string;
  /** Drawn in place of the title, where it is more than words. */
  heading?: ReactNode;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** One view: names the document, and takes the focus when somebody comes here from another one. */
export function View({ title, heading, lead, actions, children }: ViewProps) {
  const top = useRef<HTMLHeadingElement>(null);
  const navigation = useNavigationType();
  const { pathname } = useLocation();

  useEffect(() => {
    document.title = `${title} · Audit console`;
  }, [title]);

  useEffect(() => {
    if (navigation !== NavigationType.Pop) top.current?.focus();
    // Only when the view appears: a change of its filters leaves the focus where it is.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [pathname]);

  return (
    <div className={classes.view}>
      <div className={classes.head}>
        <div className={classes.words}>
          <Title order={1} ref={top} tabIndex={-1}>
            {heading ?? title}
          </Title>
          {lead ? <p className={classes.lead}>{lead}</p> : null}
        </div>
        {actions ? <div className={classes.actions}>{actions}</div> : null}
      </div>
      {children}
    </div>
  );
}

/** Things side by side, as many as fit in a line. */
export function Line({ children }: { children: ReactNode }) {
  return <div className={classes.line}>{children}</div>;
}
