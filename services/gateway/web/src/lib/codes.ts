import { attempted, refusal, SdkRefused, tokenOf, withToken, type SdkAccess } from "./authsignal";

/** Codes and links between this browser and Authsignal, by its Web SDK. */

/** Sends a code by e-mail, straight from the browser. Throws `SdkRefused`. */
export async function sendEmailCode(access: SdkAccess): Promise<void> {
  await withToken(access, (authsignal) => attempted(authsignal.email.challenge()));
}

/** Checks a code and returns the token that proves it. Throws `SdkRefused`. */
export async function proveEmailCode(access: SdkAccess, code: string): Promise<string> {
  return tokenOf(await withToken(access, (authsignal) => attempted(authsignal.email.verify({ code }))));
}

/** Sends a code to the address that codes are to go to from now on. Throws `SdkRefused`. */
export async function addMail(access: SdkAccess, email: string): Promise<void> {
  await withToken(access, (authsignal) => attempted(authsignal.email.enroll({ email })));
}

/** Shows that mail to the address arrives. Throws `SdkRefused`. */
export async function confirmMail(access: SdkAccess, code: string): Promise<void> {
  await proveEmailCode(access, code);
}

/** Begins to add an authenticator app: what its QR code says, and the same to type by hand. Throws `SdkRefused`. */
export async function addApp(access: SdkAccess): Promise<{ uri: string; secret: string }> {
  return withToken(access, (authsignal) => attempted(authsignal.totp.enroll()));
}

/** Shows that the app was added, with a code of it. Throws `SdkRefused`. */
export async function confirmApp(access: SdkAccess, code: string): Promise<void> {
  tokenOf(await withToken(access, (authsignal) => attempted(authsignal.totp.verify({ code }))));
}

/** Sends a code to a number in international form (+44...). Throws `SdkRefused`. */
export async function addNumber(access: SdkAccess, phoneNumber: string): Promise<void> {
  await withToken(access, (authsignal) => attempted(authsignal.sms.enroll({ phoneNumber })));
}

/** Shows that messages to the number arrive. Throws `SdkRefused`. */
export async function confirmNumber(access: SdkAccess, code: string): Promise<void> {
  tokenOf(await withToken(access, (authsignal) => attempted(authsignal.sms.verify({ code }))));
}

/** Sends a link to the address. Throws `SdkRefused`. */
export async function addLink(access: SdkAccess, email: string): Promise<void> {
  await withToken(access, (authsignal) => attempted(authsignal.emailML.enroll({ email })));
}

/**
 * Asks once whether the link was opened. Throws `SdkRefused`.
 *
 * The SDK's own call for this asks every second without an end and cannot be stopped, so this one is made by hand; it is
 * the same request.
 */
export async function isLinkOpened(access: SdkAccess, leaving: AbortSignal): Promise<boolean> {
  const answer = await fetch(`${access.base_url}/client/verify/email-magic-link/finalize`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${access.token}` },
    body: "{}",
    signal: leaving,
  }).catch(() => {
    throw new SdkRefused("unavailable");
  });
  const body: unknown = await answer.json().catch(() => null);
  if (typeof body !== "object" || body === null) throw new SdkRefused("unavailable");
  if (!answer.ok) throw refusal("errorCode" in body ? String(body.errorCode) : undefined);
  return "isVerified" in body && body.isVerified === true;
}
