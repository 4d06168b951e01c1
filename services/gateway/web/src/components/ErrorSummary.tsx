import { useEffect, useRef } from "react";
import { Notice } from "./Notice";

export interface FieldMistake {
  /** The id of the input that the line leads to. */
  inputId: string;
  message: string;
}

/** Lists what to correct, each line leading to its field; takes the focus when it appears. */
export function ErrorSummary({ mistakes }: { mistakes: FieldMistake[] }) {
  const box = useRef<HTMLDivElement>(null);
  const text = mistakes.map((mistake) => mistake.message).join();
  useEffect(() => {
    if (text !== "") box.current?.focus();
  }, [text]);
  if (mistakes.length === 0) return null;
  return (
    <Notice
      ref={box}
      tone="danger"
      title={mistakes.length === 1 ? "One thing to correct" : `${String(mistakes.length)} things to correct`}
    >
      <ul>
        {mistakes.map((mistake) => (
          <li key={mistake.inputId}>
            <a
              href={`#${mistake.inputId}`}
              onClick={(event) => {
                event.preventDefault();
                document.getElementById(mistake.inputId)?.focus();
              }}
            >
              {mistake.message}
            </a>
          </li>
        ))}
      </ul>
    </Notice>
  );
}
