import { Button, Loader, type ButtonProps } from "@mantine/core";
import type { ComponentPropsWithoutRef, ReactNode } from "react";
import { useSlow } from "./waiting";

interface ActionButtonProps extends ButtonProps, Omit<ComponentPropsWithoutRef<"button">, keyof ButtonProps> {
  /** The action is under way: presses are ignored, and after 300 ms the button says so. */
  pending: boolean;
  /** What is being done, for example "Sending a code". */
  pendingLabel: string;
  children: ReactNode;
}

/** A button that keeps its place and its focus while it works: a disabled one would lose both. */
export function ActionButton({ pending, pendingLabel, children, onClick, ...rest }: ActionButtonProps) {
  const slow = useSlow(pending);
  return (
    <Button
      {...rest}
      aria-disabled={pending || undefined}
      aria-busy={pending || undefined}
      leftSection={slow ? <Loader size={16} color="currentColor" aria-hidden="true" /> : rest.leftSection}
      onClick={(event) => {
        if (pending) event.preventDefault();
        else onClick?.(event);
      }}
    >
      <span aria-live="polite">{slow ? `${pendingLabel}…` : children}</span>
    </Button>
  );
}
