const KEY = "countersign.way";

/**
 * How the last sign-in in this browser was done, so that the next one can begin the same way. A method's name and nothing
 * about a person. E-mail codes are what sign-in begins with anyway; passkeys have a button of their own.
 */
export function rememberWay(methods: readonly string[]): void {
  const [method] = methods;
  try {
    if (method === undefined || method === "EMAIL_OTP" || method === "PASSKEY") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, method);
  } catch {
    // Storage is closed: sign-in begins with a code by e-mail.
  }
}

/** The method to begin with, or null for the gateway's own choice. */
export function usualWay(offered: readonly string[]): string | null {
  try {
    const method = localStorage.getItem(KEY);
    return method !== null && offered.includes(method) ? method : null;
  } catch {
    return null;
  }
}
