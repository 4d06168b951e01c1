/** Catches slips while typing; whether an address exists is for the code to show. RFC 5321 allows 254 characters. */
export function addressMistake(value: string): string | null {
  const address = value.trim();
  if (address === "") return "Enter your e-mail address.";
  if (address.length > 254 || !/^[^\s@]+@[^\s@]+$/.test(address)) {
    return "Enter an e-mail address like name@example.com.";
  }
  return null;
}

/** The gateway has the last word on names; this saves a round trip for one that is far too long. */
export const NAME_LENGTH_MAX = 100;

export function nameMistake(value: string): string | null {
  return value.trim().length > NAME_LENGTH_MAX
    ? `Use at most ${String(NAME_LENGTH_MAX)} characters for your name.`
    : null;
}

/** A telephone number as machines write it (E.164): "+44 (0)7911 123-456" becomes "+447911123456". */
export function plainNumber(value: string): string {
  return value
    .normalize("NFKC")
    .replace(/\(0\)/g, "")
    .replace(/^\s*00/, "+")
    .replace(/[\s().\-/]/g, "");
}

export function numberMistake(value: string): string | null {
  if (value.trim() === "") return "Enter your phone number.";
  if (/^\+[1-9]\d{6,14}$/.test(plainNumber(value))) return null;
  return "Enter the number with its country code, such as +44 7911 123456.";
}
