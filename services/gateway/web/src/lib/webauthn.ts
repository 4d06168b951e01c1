/** What this browser can do with passkeys and security keys (WebAuthn Level 3). */

export function canSign(): boolean {
  return typeof window.PublicKeyCredential === "function";
}

/** Whether passkeys can stand among the suggestions of a field. */
export async function canSuggest(): Promise<boolean> {
  if (!canSign()) return false;
  return (await window.PublicKeyCredential.isConditionalMediationAvailable?.().catch(() => false)) ?? false;
}

/** Whether this very device can keep a passkey behind its own lock. */
export async function hasOwnLock(): Promise<boolean> {
  if (!canSign()) return false;
  return window.PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false);
}
