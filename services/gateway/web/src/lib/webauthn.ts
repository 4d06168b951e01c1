/** What this browser can do with passkeys and security keys (WebAuthn Level 3). */

export function canSign(): boolean {
  return typeof window.PublicKeyCredential === "function";
}

/** Whether passkeys can stand among the suggestions of a field. */
export async function canSuggest(): Promise<boolean> {
  // Younger than the rest of WebAuthn: some browsers have the one without the other.
  if (!canSign() || !("isConditionalMediationAvailable" in window.PublicKeyCredential)) return false;
  return window.PublicKeyCredential.isConditionalMediationAvailable().catch(() => false);
}

/** Whether this very device can keep a passkey behind its own lock. */
export async function hasOwnLock(): Promise<boolean> {
  if (!canSign()) return false;
  return window.PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false);
}
