import type { StepUpContext } from "../../api/client";

/** What the demo shop sells, in cents. */
export const ITEM = { name: "Canvas rucksack, 24 litres", cents: 8900 };
export const DELIVERY_CENTS = 600;
export const QUANTITY_MAX = 20;
export const PAYEE = "Northwind Outfitters";
const CURRENCY = "EUR";

export function totalCents(quantity: number): number {
  return ITEM.cents * quantity + DELIVERY_CENTS;
}

/** The payment as the gateway gets it: what the grant will be bound to, to the cent. */
export function paymentOf(quantity: number): StepUpContext {
  return { amount: (totalCents(quantity) / 100).toFixed(2), currency: CURRENCY, payee: PAYEE };
}

/** "€95.00". */
export function money(amount: number, currency = CURRENCY): string {
  return new Intl.NumberFormat("en", { style: "currency", currency }).format(amount);
}

/** The amount of a payment as the gateway has it; what stands there is what is confirmed. */
export function amountOf(context: Record<string, unknown>): string {
  const { amount, currency } = context;
  return typeof currency === "string" && /^[A-Z]{3}$/.test(currency) ? money(Number(amount), currency) : String(amount);
}
