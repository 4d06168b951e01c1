import { useMemo } from "react";
import { encode } from "uqr";
import classes from "./QrCode.module.css";

/** The dark modules of a QR code as one path, each module one unit wide. */
function pathOf(modules: boolean[][]): string {
  const runs: string[] = [];
  modules.forEach((row, y) => {
    row.forEach((dark, x) => {
      if (!dark || row[x - 1]) return;
      let end = x;
      while (row[end]) end += 1;
      runs.push(`M${String(x)} ${String(y)}h${String(end - x)}v1h-${String(end - x)}z`);
    });
  });
  return runs.join("");
}

/** Dark on white also on a dark page: many cameras read nothing else. */
export function QrCode({ content, label }: { content: string; label: string }) {
  const { size, path } = useMemo(() => {
    // The four modules of quiet around it are part of the standard (ISO/IEC 18004).
    const code = encode(content, { ecc: "M", border: 4 });
    return { size: code.size, path: pathOf(code.data) };
  }, [content]);
  return (
    <svg
      className={classes.code}
      viewBox={`0 0 ${String(size)} ${String(size)}`}
      shapeRendering="crispEdges"
      role="img"
      aria-label={label}
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
