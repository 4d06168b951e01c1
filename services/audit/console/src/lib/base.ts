/** Where the console stands: whoever serves the page says so in <base>; without one, at the root. */
export const BASE = document.querySelector("base")?.href ?? new URL("/", window.location.href).href;

export const BASENAME = new URL(BASE).pathname.replace(/\/$/, "");

/** The address of a path of the audit service, under the same base. */
export function serviceUrl(path: string): string {
  return new URL(path.replace(/^\//, ""), BASE).href;
}
