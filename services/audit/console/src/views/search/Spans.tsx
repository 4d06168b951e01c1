import { SegmentedControl } from "@mantine/core";
import { SPANS, type Span } from "../../lib/filters";

interface SpansProps {
  value: Span | null;
  onChange: (span: Span | null) => void;
  /** Without a limit is one of the choices. */
  withAll?: boolean;
}

/** How far back to look. */
export function Spans({ value, onChange, withAll = false }: SpansProps) {
  const spans = Object.keys(SPANS) as Span[];
  return (
    <SegmentedControl
      aria-label="Time span"
      size="xs"
      value={value ?? "all"}
      onChange={(next) => onChange(next === "all" ? null : (next as Span))}
      data={[
        ...spans.map((span) => ({ value: span, label: span })),
        ...(withAll ? [{ value: "all", label: "All" }] : []),
      ]}
    />
  );
}
