import { Title } from "@mantine/core";
import { useEffect, useRef, type ReactNode, type RefObject } from "react";
import { NavigationType, useNavigationType } from "react-router";
import { useBrand } from "../brand";
import classes from "./Page.module.css";

interface PageProps {
  title: string;
  lead?: ReactNode;
  children?: ReactNode;
  /** Below the card: the way to another page. */
  aside?: ReactNode;
  /** The field to start in. Without one, the heading takes the focus so that a screen reader starts at the top. */
  focus?: RefObject<HTMLElement | null>;
  /** Start in the field on a touch screen too: for a page that is nothing but its field. */
  focusOnTouch?: boolean;
  card?: boolean;
  /** Above the heading: a picture of how things stand. */
  mark?: ReactNode;
  /** Beside the heading: the one thing that can be done with the whole page. */
  action?: ReactNode;
}

let pagesSeen = 0;

/**
 * Frames one page: names the document, and moves the focus when the page changes.
 *
 * On the first page of a visit the browser's own starting point is kept, except for a field on devices with a
 * keyboard: on a phone the on-screen keyboard would hide the page that nobody has read yet.
 */
export function Page({
  title,
  lead,
  children,
  aside,
  focus,
  focusOnTouch = false,
  mark,
  action,
  card = true,
}: PageProps) {
  const brand = useBrand();
  const heading = useRef<HTMLHeadingElement>(null);
  const navigation = useNavigationType();

  useEffect(() => {
    document.title = `${title} · ${brand.name}`;
  }, [title, brand.name]);

  useEffect(() => {
    pagesSeen += 1;
    const arrived = pagesSeen > 1 || navigation !== NavigationType.Pop;
    const keyboardIsFree = window.matchMedia("(pointer: fine)").matches;
    if (focus?.current && (keyboardIsFree || (arrived && focusOnTouch))) focus.current.focus();
    else if (arrived) heading.current?.focus();
    // Only when the page appears: later focus belongs to the person.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  return (
    <div className={classes.page}>
      <div className={card ? classes.card : undefined}>
        <div className={classes.head}>
          <div>
            {mark}
            <Title order={1} ref={heading} tabIndex={-1}>
              {title}
            </Title>
            {lead ? <p className={classes.lead}>{lead}</p> : null}
          </div>
          {action}
        </div>
        {children}
      </div>
      {aside ? <p className={classes.aside}>{aside}</p> : null}
    </div>
  );
}
