import type { ComponentPropsWithRef } from "react";
import classes from "./TextButton.module.css";

/** A button that looks like a link: for small things within a text or beside one. */
export function TextButton(props: ComponentPropsWithRef<"button">) {
  return <button type="button" {...props} className={classes.text} />;
}

/** A small button beside one thing of a list. What takes something away says so when it is about to be pressed. */
export function RowButton({ danger = false, ...rest }: ComponentPropsWithRef<"button"> & { danger?: boolean }) {
  return <button type="button" {...rest} className={classes.row} data-danger={danger || undefined} />;
}
