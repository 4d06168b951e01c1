import { Dialog, DialogBody } from "@look/Dialog";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { areKeysOn, switchKeys } from "../lib/singleKeys";
import classes from "./Shortcuts.module.css";
import { WAYS } from "./navigation";

const SECOND_KEY_MS = 1200;

/** Rows that can be gone through with j and k carry this attribute. */
export const ROW = { "data-row": "" };

const TYPED_INTO = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest(TYPED_INTO) !== null;
}

/** Whether a key is pressed for the console: alone, switched on, nobody types, and no dialog is open. */
export function isShortcut(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  return areKeysOn() && !isTyping(event.target) && document.querySelector("dialog[open]") === null;
}

/** Moves the focus to the next row of the view, or the one before. */
function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-row]")];
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row === document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step));
  rows[next]?.focus();
  rows[next]?.scrollIntoView({ block: "nearest" });
}

interface Actions {
  focusSearch: () => void;
  help: () => void;
}

/** The keyboard, wherever nobody types: see the list in `ShortcutHelp`. */
export function useShortcuts(actions: Actions): void {
  const navigate = useNavigate();
  const going = useRef(0);

  const pressed = useEffectEvent((event: KeyboardEvent) => {
    if (event.key === "Escape" && isTyping(event.target) && event.target instanceof HTMLElement) event.target.blur();
    if (!isShortcut(event)) return;
    const isGoing = event.timeStamp - going.current < SECOND_KEY_MS;
    going.current = 0;
    const way = isGoing ? WAYS.find(({ letter }) => letter === event.key) : undefined;
    if (way) void navigate(way.to);
    else if (event.key === "g") going.current = event.timeStamp;
    else if (event.key === "j") moveRow(1);
    else if (event.key === "k") moveRow(-1);
    else if (event.key === "?") actions.help();
    else if (event.key === "/") {
      // Or the slash itself would be typed.
      event.preventDefault();
      actions.focusSearch();
    }
  });

  useEffect(() => {
    const listener = (event: KeyboardEvent) => pressed(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}

const KEYS: [keys: string[], words: string][] = [
  [["/"], "Find events"],
  [["j"], "Next row"],
  [["k"], "Row before"],
  [["Enter"], "Open the row"],
  [["t"], "Live tail on and off, in the search"],
  [["Esc"], "Leave a field, close a dialog"],
  [["?"], "This list"],
];

export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const [areOn, setOn] = useState(areKeysOn);
  const ways = WAYS.map(({ letter, title }): [string[], string] => [["g", letter], title]);
  return (
    <Dialog onClose={onClose} isLight>
      <DialogBody title="Keyboard">
        <dl className={classes.keys}>
          {[...KEYS, ...ways].map(([keys, words]) => (
            <div key={words}>
              <dt>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{words}</dd>
            </div>
          ))}
        </dl>
        <label>
          <input
            type="checkbox"
            checked={areOn}
            onChange={(event) => {
              switchKeys(event.currentTarget.checked);
              setOn(event.currentTarget.checked);
            }}
          />{" "}
          Single keys do this, in this browser
        </label>
      </DialogBody>
    </Dialog>
  );
}
