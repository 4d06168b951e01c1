import type { ReactNode } from "react";
import { BrandMark } from "./BrandMark";
import { Guilloche } from "./Guilloche";
import { OfflineNotice } from "./OfflineNotice";
import { SchemeToggle } from "@look/SchemeToggle";
import classes from "./Shell.module.css";

interface ShellProps {
  children: ReactNode;
  wide?: boolean;
}

/** What surrounds every page: brand, colour scheme, and one column for the one thing at hand. */
export function Shell({ children, wide = false }: ShellProps) {
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#main">
        Skip to content
      </a>
      <header className={classes.header}>
        <BrandMark />
        <SchemeToggle />
      </header>
      <main id="main" tabIndex={-1} className={classes.main}>
        <div className={wide ? `${classes.column ?? ""} ${classes.wide ?? ""}` : classes.column}>
          <OfflineNotice />
          {children}
        </div>
      </main>
      <Guilloche className={classes.ornament} />
    </div>
  );
}
