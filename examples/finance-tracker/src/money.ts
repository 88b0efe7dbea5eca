/** Amounts are decimal texts on the wire and in the database, and whole cents in between: sums stay exact. */
export type Cents = number;

const FORMAT = new Intl.NumberFormat("en-IE", { style: "currency", currency: "EUR" });
const WHOLE = new Intl.NumberFormat("en-IE", { style: "currency", currency: "EUR", maximumFractionDigits: 0 });

/** The cents of a decimal text; further digits are cut. */
export function cents(text: string | null | undefined): Cents {
  const found = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text ?? "");
  if (!found) return 0;
  const [, sign, whole, part = ""] = found;
  const value = Number(whole) * 100 + Number(part.padEnd(2, "0").slice(0, 2));
  return sign === "-" ? -value : value;
}

export const decimal = (value: Cents): string => `${value < 0 ? "-" : ""}${Math.floor(Math.abs(value) / 100)}.${String(Math.abs(value) % 100).padStart(2, "0")}`;

/** `€1,234.50`, with a real minus sign. */
export const shown = (value: Cents): string => FORMAT.format(value / 100).replace("-", "−");

/** Without cents, for totals and scales. */
export const rounded = (value: Cents): string => WHOLE.format(value / 100).replace("-", "−");

/** With its sign in any case. */
export const signed = (value: Cents): string => (value > 0 ? `+${shown(value)}` : shown(value));
