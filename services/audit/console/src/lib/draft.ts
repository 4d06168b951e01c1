import { useCallback, useState } from "react";

/** Something half typed that outlives a way to another page and back, in this tab alone. */
export function useDraft(name: string): [string, (text: string) => void] {
  const place = `countersign.draft.${name}`;
  const [text, setText] = useState(() => sessionStorage.getItem(place) ?? "");
  const keep = useCallback(
    (next: string) => {
      if (next) sessionStorage.setItem(place, next);
      else sessionStorage.removeItem(place);
      setText(next);
    },
    [place],
  );
  return [text, keep];
}
