const KEY = "countersign.attempt";

// The address as typed, for "change address" and "start again". In memory only: nothing personal outlives the tab.
let address = "";

/**
 * The attempt under way in this tab.
 *
 * Session storage holds the id alone, so that a reload can ask the gateway for the rest. Where storage is closed,
 * memory serves until the reload.
 */
let inMemory: string | null = null;

export function currentAttempt(): string | null {
  try {
    return sessionStorage.getItem(KEY) ?? inMemory;
  } catch {
    return inMemory;
  }
}

export function rememberAttempt(id: string, typedAddress: string): void {
  inMemory = id;
  address = typedAddress;
  try {
    sessionStorage.setItem(KEY, id);
  } catch {
    // Memory has it.
  }
}

export function forgetAttempt(): void {
  inMemory = null;
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was stored.
  }
}

export function typedAddress(): string {
  return address;
}

export function forgetAddress(): void {
  address = "";
}
