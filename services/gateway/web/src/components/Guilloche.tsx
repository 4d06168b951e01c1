const WIDTH = 1200;
const HEIGHT = 260;
const LINES = 12;

/** One line of the band: the same wave for all, each shifted a little, between edges that swell and narrow. */
function wave(phase: number): string {
  const points: string[] = [];
  for (let x = 0; x <= WIDTH; x += 12) {
    const t = x / WIDTH;
    const middle = HEIGHT / 2 + 26 * Math.sin(2 * Math.PI * (0.9 * t + 0.1));
    const swell = 62 + 34 * Math.sin(2 * Math.PI * (1.7 * t + 0.55));
    const y = middle + swell * Math.sin(2 * Math.PI * (2.6 * t + phase));
    points.push(`${String(x)} ${y.toFixed(1)}`);
  }
  return `M${points.join("L")}`;
}

const PATHS = Array.from({ length: LINES }, (_, line) => wave(line / LINES));

/** The quiet ornament at the foot of every page. It says nothing, so nothing reads it out. */
export function Guilloche({ className }: { className?: string | undefined }) {
  return (
    <svg
      className={className}
      viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {PATHS.map((path) => (
        <path key={path} d={path} fill="none" stroke="currentColor" strokeWidth="1" vectorEffect="non-scaling-stroke" />
      ))}
    </svg>
  );
}
