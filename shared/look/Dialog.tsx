import { Title } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import {
  createContext,
  useContext,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  type ReactNode,
  type RefObject,
} from "react";
import { createPortal } from "react-dom";
import classes from "./Dialog.module.css";

/** Where the heading of the dialog gets its id from, which names the dialog for screen readers. */
const HeadingId = createContext<string | undefined>(undefined);

interface DialogProps {
  /** Called when the person closes it: the cross, Escape, a press beside it. */
  onClose: () => void;
  children: ReactNode;
  /** Nothing typed in it would be lost: a press beside it closes it. */
  isLight?: boolean;
}

/**
 * A modal dialog: the browser keeps the focus in it and gives it back afterwards.
 *
 * Its content is a `DialogBody`, or a few of them in turn.
 */
export function Dialog({ onClose, children, isLight = false }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();

  // Before the browser takes the element away: only an element that is still there gives the focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);

  return createPortal(
    // The dialog itself is only pressed where its content ends: on what lies behind.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events
    <dialog
      ref={dialog}
      className={classes.dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClose={() => {
        if (!dialog.current?.open) onClose();
      }}
      onClick={(event) => {
        if (isLight && event.target === event.currentTarget) onClose();
      }}
    >
      <div className={classes.content}>
        <HeadingId value={heading}>{children}</HeadingId>
        <button type="button" className={classes.close} aria-label="Close" onClick={onClose}>
          <IconX size={20} stroke={1.8} aria-hidden="true" />
        </button>
      </div>
    </dialog>,
    document.body,
  );
}

export interface DialogBodyProps {
  title: string;
  lead?: ReactNode;
  children?: ReactNode;
  /** The field to start in. */
  focus?: RefObject<HTMLElement | null>;
  /** Quiet words below: where to find help, or another way. */
  aside?: ReactNode;
}

/** One view of a dialog: heading, words, content. Takes the focus when it appears. */
export function DialogBody({ title, lead, children, focus, aside }: DialogBodyProps) {
  const id = useContext(HeadingId);
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    (focus?.current ?? heading.current)?.focus();
    // Only when the view appears: later focus belongs to the person.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  return (
    <>
      <div className={classes.head}>
        <Title order={2} ref={heading} id={id} tabIndex={-1} className={classes.title}>
          {title}
        </Title>
        {lead ? <div className={classes.lead}>{lead}</div> : null}
      </div>
      {children}
      {aside ? <p className={classes.aside}>{aside}</p> : null}
    </>
  );
}
