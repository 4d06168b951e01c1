import { useId, useState, type KeyboardEvent, type Ref } from "react";
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

/** Six boxes for a one-time code; to the browser, one numeric field. */
export function CodeField({ value, onChange, onComplete, error, describedBy, ref }: CodeFieldProps) {
  const id = useId();
  const [caret, setCaret] = useState<{ start: number; end: number }>({ start: 0, end: 0 });

  function change(text: string) {
    const digits = digitsOf(text);
    onChange(digits);
    if (digits.length === CODE_LENGTH && digits !== value) onComplete(digits);
  }

  /** In a full field the digit at the caret is replaced, so that one slip is one key to mend. */
  function overwrite(event: KeyboardEvent<HTMLInputElement>) {
    const input = event.currentTarget;
    const start = input.selectionStart ?? 0;
    if (!/^\d$/.test(event.key) || value.length < CODE_LENGTH || start !== input.selectionEnd) return;
    if (start < CODE_LENGTH) input.setSelectionRange(start, start + 1);
  }

  const isActive = (box: number) =>
    caret.start === caret.end
      ? box === Math.min(caret.start, CODE_LENGTH - 1)
      : box >= caret.start && box < caret.end;

  return (
    <div className={classes.field}>
      <label className={classes.label} htmlFor={id}>
        Six-digit code
      </label>
      <div className={classes.frame} data-invalid={error ? true : undefined}>
        <div className={classes.boxes} aria-hidden="true">
          {Array.from({ length: CODE_LENGTH }, (_, box) => (
            <span key={box} className={classes.box} data-active={isActive(box) || undefined} />
          ))}
        </div>
        <input
          ref={ref}
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
          onSelect={(event) => {
            const { selectionStart, selectionEnd } = event.currentTarget;
            setCaret({ start: selectionStart ?? 0, end: selectionEnd ?? 0 });
          }}
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
