import {
  useEffect,
  useId,
  useImperativeHandle,
  useRef,
  useState,
  type KeyboardEvent,
  type Ref,
  type RefObject,
} from "react";
import classes from "./CodeField.module.css";

export const CODE_LENGTH = 6;

/** The digits of whatever was typed or pasted: "123 456", "Your code is 123456", full-width digits. */
export function digitsOf(text: string): string {
  return text.normalize("NFKC").replace(/\D/g, "").slice(0, CODE_LENGTH);
}

interface CodeFieldProps {
  value: string;
  onChange: (digits: string) => void;
  /** Called once for each complete code, as soon as its last digit is in. */
  onComplete: (digits: string) => void;
  error?: string | undefined;
  describedBy?: string | undefined;
  ref?: Ref<HTMLInputElement>;
}

/** Where the caret stands in the field, or what is selected; follows keys, mouse and scripts alike. */
function useSelection(input: RefObject<HTMLInputElement | null>): { start: number; end: number } {
  const [selection, setSelection] = useState({ start: 0, end: 0 });
  useEffect(() => {
    const follow = () => {
      if (!input.current || document.activeElement !== input.current) return;
      const { selectionStart, selectionEnd } = input.current;
      setSelection({ start: selectionStart ?? 0, end: selectionEnd ?? 0 });
    };
    document.addEventListener("selectionchange", follow);
    return () => document.removeEventListener("selectionchange", follow);
  }, [input]);
  return selection;
}

/** Six boxes for a one-time code; to the browser, one numeric field. */
export function CodeField({ value, onChange, onComplete, error, describedBy, ref }: CodeFieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useImperativeHandle<HTMLInputElement | null, HTMLInputElement | null>(ref, () => input.current);
  const { start, end } = useSelection(input);

  function change(text: string) {
    const digits = digitsOf(text);
    onChange(digits);
    if (digits.length === CODE_LENGTH && digits !== value) onComplete(digits);
  }

  /** In a full field the digit at the caret is replaced, so that one slip is one key to mend. */
  function overwrite(event: KeyboardEvent<HTMLInputElement>) {
    const field = event.currentTarget;
    const caret = field.selectionStart ?? 0;
    if (!/^\d$/.test(event.key) || value.length < CODE_LENGTH || caret !== field.selectionEnd) return;
    if (caret < CODE_LENGTH) field.setSelectionRange(caret, caret + 1);
  }

  const isSelected = (box: number) => box >= start && box < end;
  const isActive = (box: number) => (start === end ? box === Math.min(start, CODE_LENGTH - 1) : isSelected(box));

  return (
    <div className={classes.field}>
      <label className={classes.label} htmlFor={id}>
        Six-digit code
      </label>
      <div className={classes.frame} data-invalid={error ? true : undefined}>
        <div className={classes.boxes} aria-hidden="true">
          {Array.from({ length: CODE_LENGTH }, (_, box) => (
            <span
              key={box}
              className={classes.box}
              data-active={isActive(box) || undefined}
              data-selected={isSelected(box) || undefined}
            />
          ))}
        </div>
        <input
          ref={input}
          id={id}
          className={classes.input}
          value={value}
          name="code"
          type="text"
          inputMode="numeric"
          autoComplete="one-time-code"
          autoCorrect="off"
          spellCheck={false}
          enterKeyHint="done"
          pattern="[0-9]*"
          aria-invalid={error ? true : undefined}
          aria-describedby={[error ? `${id}-error` : null, describedBy].filter(Boolean).join(" ") || undefined}
          onChange={(event) => change(event.currentTarget.value)}
          onKeyDown={overwrite}
        />
      </div>
      {error ? (
        <p id={`${id}-error`} className={classes.error} role="alert">
          {error}
        </p>
      ) : null}
    </div>
  );
}
