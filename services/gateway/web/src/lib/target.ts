export const HOME = "/account";

const NOT_A_PAGE = ["/v1", "/assets", "/sign-in", "/sign-up", "/verify", "/create-passkey", "/confirm"];

/**
 * Where to go after sign-in: the `to` of the address bar if it is a page of this very site, else the account page.
 *
 * Anyone can write a link with `?to=`, so everything that could leave the site is dropped: other origins, `//host`,
 * `/\host`, `javascript:`.
 */
export function safeTarget(to: string | null): string {
  if (to === null || !to.startsWith("/")) return HOME;
  let url: URL;
  try {
    url = new URL(to, window.location.origin);
  } catch {
    return HOME;
  }
  if (url.origin !== window.location.origin) return HOME;
  if (NOT_A_PAGE.some((path) => url.pathname === path || url.pathname.startsWith(`${path}/`))) return HOME;
  return url.pathname === "/" ? HOME : url.pathname + url.search + url.hash;
}

/** Pages that this app draws; every other target (the audit console) is loaded from the gateway. */
export function isOurs(target: string): boolean {
  return /^\/(account|checkout)(?=[/?#]|$)/.test(target);
}

/** `path` with the current target carried along, so that a detour does not lose it. */
export function withTarget(path: string, to: string | null): string {
  const target = safeTarget(to);
  return target === HOME ? path : `${path}?${new URLSearchParams({ to: target }).toString()}`;
}
