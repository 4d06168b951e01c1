import { createContext, useContext, type ReactNode, type RefObject } from "react";
import { DialogBody } from "./Dialog";
import { Page } from "./Page";

export interface FrameProps {
  title: string;
  lead?: ReactNode;
  children?: ReactNode;
  /** The field to start in. */
  focus?: RefObject<HTMLElement | null>;
  focusOnTouch?: boolean;
  /** Quiet words below: where to find help, or another way. */
  aside?: ReactNode;
}

const InDialog = createContext(false);

/** Below this, steps are drawn as views of a dialog. */
export function DialogFrame({ children }: { children: ReactNode }) {
  return <InDialog value>{children}</InDialog>;
}

/** What stands around one step of a proof: a page of its own, or a view of the dialog that it is in. */
export function Frame(props: FrameProps) {
  return useContext(InDialog) ? <DialogBody {...props} /> : <Page {...props} />;
}
