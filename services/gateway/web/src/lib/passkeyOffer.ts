const KEY = "countersign.passkey-offered";
const PEOPLE_MAX = 20;

function people(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}

/** Whether this person was offered a passkey in this browser before; once is enough. */
export function wasOffered(sub: string): boolean {
  return people().includes(sub);
}

export function rememberOffer(sub: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify([sub, ...people().filter((one) => one !== sub)].slice(0, PEOPLE_MAX)));
  } catch {
    // Storage is closed: the offer comes again next time.
  }
}
