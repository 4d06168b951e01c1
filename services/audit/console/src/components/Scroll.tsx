import type { ReactNode } from "react";

interface ScrollProps {
  label: string;
  className: string | undefined;
  children: ReactNode;
}

/** Text as it stands, which scrolls in itself: by keyboard as well. */
export function Scroll({ label, className, children }: ScrollProps) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- whoever has no mouse must be able to scroll it
    <pre className={className} role="group" aria-label={label} tabIndex={0}>
      {children}
    </pre>
  );
}
