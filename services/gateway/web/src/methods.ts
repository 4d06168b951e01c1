import {
  IconBrandWhatsapp,
  IconDeviceMobile,
  IconFingerprint,
  IconLink,
  IconLock,
  IconMail,
  IconMessage,
  IconNumbers,
  IconQrcode,
  IconUsb,
  type Icon,
} from "@tabler/icons-react";

/** How people know a way to show who they are. */
export interface MethodWords {
  /** As a heading or in a list: "Passkey". */
  title: string;
  /** Inside a sentence, after "with": "a passkey". */
  phrase: string;
  /** What choosing it does, for the list of ways. */
  choice: string;
  hint: string;
  Icon: Icon;
}

export const METHODS: Record<string, MethodWords> = {
  PASSKEY: {
    title: "Passkey",
    phrase: "a passkey",
    choice: "Use your passkey",
    hint: "Fingerprint, face or screen lock",
    Icon: IconFingerprint,
  },
  SECURITY_KEY: {
    title: "Security key",
    phrase: "a security key",
    choice: "Use your security key",
    hint: "Plug it in, or hold it to the device",
    Icon: IconUsb,
  },
  PUSH: {
    title: "Approval on your phone",
    phrase: "an approval on the phone",
    choice: "Approve on your phone",
    hint: "A request comes to the app",
    Icon: IconDeviceMobile,
  },
  QR_CODE: {
    title: "QR code",
    phrase: "a QR code",
    choice: "Scan a QR code",
    hint: "With the app on your phone",
    Icon: IconQrcode,
  },
  AUTHENTICATOR_APP: {
    title: "Authenticator app",
    phrase: "an authenticator app",
    choice: "Use your authenticator app",
    hint: "Type the six digits that it shows",
    Icon: IconNumbers,
  },
  EMAIL_OTP: {
    title: "Code by e-mail",
    phrase: "a code by e-mail",
    choice: "Send a code by e-mail",
    hint: "Six digits to type",
    Icon: IconMail,
  },
  EMAIL_MAGIC_LINK: {
    title: "Link by e-mail",
    phrase: "a link by e-mail",
    choice: "Send a link by e-mail",
    hint: "Open it on any device",
    Icon: IconLink,
  },
  SMS: {
    title: "Code by text message",
    phrase: "a code by text message",
    choice: "Send a code by text message",
    hint: "Six digits to type",
    Icon: IconMessage,
  },
  WHATSAPP: {
    title: "Code by WhatsApp",
    phrase: "a code by WhatsApp",
    choice: "Send a code by WhatsApp",
    hint: "Six digits to type",
    Icon: IconBrandWhatsapp,
  },
};

/** What there is to say about a method; one that is newer than this page goes by its own name. */
export function wordsOfMethod(method: string): MethodWords {
  const name = method.toLowerCase().replaceAll("_", " ");
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  return METHODS[method] ?? { title, phrase: name, choice: title, hint: "", Icon: IconLock };
}

/** Methods for which the browser itself signs. */
export const SIGNED_METHODS = ["PASSKEY", "SECURITY_KEY"];

/** "a code by e-mail and a passkey". */
export function phrasesOf(methods: readonly string[]): string {
  return methods.map((method) => wordsOfMethod(method).phrase).join(" and ");
}
