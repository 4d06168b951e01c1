import "react";

declare module "react" {
  // Our own properties may be set where an element is drawn: a chart's bar has its length from the data.
  interface CSSProperties {
    [property: `--${string}`]: string | number | undefined;
  }
}
