import { createContext, useContext, type ReactNode } from "react";
import { DialogBody, type DialogBodyProps } from "@look/Dialog";
import { Page } from "./Page";

export interface FrameProps extends DialogBodyProps {
  focusOnTouch?: boolean;
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
