/** Whether keys without a modifier do something in this browser (WCAG 2.1.4: whoever speaks to it can switch them off). */
const PLACE = "countersign.single-keys";

export function areKeysOn(): boolean {
  return localStorage.getItem(PLACE) !== "off";
}

export function switchKeys(on: boolean): void {
  if (on) localStorage.removeItem(PLACE);
  else localStorage.setItem(PLACE, "off");
}
