import type { Authsignal } from "@authsignal/browser";
import { attempted, loaded, tokenOf, withToken, type SdkAccess, type Tenant } from "./authsignal";

/** Passkeys and security keys, by Authsignal's Web SDK. */

interface Passkey {
  /** What the passkey is called on the device: the address. */
  username: string;
  displayName: string;
  /** Only this device's own lock, or whatever the person has: another phone, a key. */
  thisDevice: boolean;
}

/** Creates a passkey. Throws `SdkRefused`. */
export async function addPasskey(access: SdkAccess, passkey: Passkey): Promise<void> {
  const { username, displayName, thisDevice } = passkey;
  await withToken(access, (authsignal) =>
    attempted(
      authsignal.passkey.signUp({
        token: access.token,
        username,
        displayName,
        authenticatorAttachment: thisDevice ? "platform" : null,
      }),
    ),
  );
}

/** Adds a security key. Throws `SdkRefused`. */
export async function addSecurityKey(access: SdkAccess): Promise<void> {
  await withToken(access, (authsignal) => attempted(authsignal.securityKey.enroll()));
}

/** Signs with one of the person's passkeys and returns the token that proves it. Throws `SdkRefused`. */
export async function provePasskey(access: SdkAccess): Promise<string> {
  const call = (authsignal: Authsignal) => attempted(authsignal.passkey.signIn({ token: access.token }));
  return tokenOf(await withToken(access, call));
}

/** Signs with the person's security key and returns the token that proves it. Throws `SdkRefused`. */
export async function proveSecurityKey(access: SdkAccess): Promise<string> {
  return tokenOf(await withToken(access, (authsignal) => attempted(authsignal.securityKey.verify())));
}

/** Signs with any passkey of this site, no name typed, for an action. Throws `SdkRefused`. */
export async function proveAnyPasskey(tenant: Tenant, action: string): Promise<string> {
  const authsignal = await loaded(tenant);
  try {
    return tokenOf(await attempted(authsignal.passkey.signIn({ action })));
  } finally {
    authsignal.setToken("");
  }
}

/**
 * Offers passkeys among the suggestions of the field marked `autocomplete="... webauthn"`, until one is chosen or `leaving`
 * is aborted; returns the token that proves it, or null where the browser or the SDK has nothing to offer.
 *
 * The SDK gives no way to stop the offer. A page that is left must, or the browser would keep a request open that nobody
 * waits for; so the browser's call gets our signal beside the SDK's own.
 */
export async function offerPasskeys(tenant: Tenant, leaving: AbortSignal): Promise<string | null> {
  const authsignal = await loaded(tenant);
  if (leaving.aborted) return null;
  const restore = endWith(leaving);
  try {
    // Without an action: the SDK takes none together with autofill.
    const { data } = await authsignal.passkey.signIn({ autofill: true });
    return data?.isVerified && data.token ? data.token : null;
  } catch {
    return null;
  } finally {
    restore();
    authsignal.setToken("");
  }
}

/** Lets `leaving` end the browser's conditional requests too; returns what takes that back. */
function endWith(leaving: AbortSignal): () => void {
  const { credentials } = navigator;
  credentials.get = (options) => {
    if (options?.mediation !== "conditional") return CredentialsContainer.prototype.get.call(credentials, options);
    const signals = options.signal ? [options.signal, leaving] : [leaving];
    return CredentialsContainer.prototype.get.call(credentials, { ...options, signal: AbortSignal.any(signals) });
  };
  return () => {
    delete (credentials as { get?: unknown }).get;
  };
}
