import { createContext, useContext, type ComponentType, type ReactNode, type RefObject } from "react";
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

const FrameContext = createContext<ComponentType<FrameProps>>(Page);

/** What stands around the steps of a proof below: a page, unless somebody says otherwise. */
export const FrameProvider = FrameContext.Provider;

export function useFrame(): ComponentType<FrameProps> {
  return useContext(FrameContext);
}
