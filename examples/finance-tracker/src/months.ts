/** Months are texts, `2026-11`, and days `2026-11-21`. */

const two = (number: number): string => String(number).padStart(2, "0");

export const today = (): string => {
  const now = new Date();
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
};

export const thisMonth = (): string => today().slice(0, 7);

/** The month that is `by` months later. */
export function shifted(month: string, by: number): string {
  const [year = 0, number = 1] = month.split("-").map(Number);
  const months = year * 12 + number - 1 + by;
  return `${Math.floor(months / 12)}-${two((months % 12) + 1)}`;
}

const MONTH = new Intl.DateTimeFormat("en-IE", { month: "long", year: "numeric", timeZone: "UTC" });
const SHORT = new Intl.DateTimeFormat("en-IE", { month: "short", timeZone: "UTC" });
const PARTS = { weekday: "short", day: "numeric", month: "long", timeZone: "UTC" } as const;
const DAY = new Intl.DateTimeFormat("en-IE", PARTS);
const DAY_OF_YEAR = new Intl.DateTimeFormat("en-IE", { ...PARTS, year: "numeric" });

/** What is no month stays as it is: of those in the books the server has seen the form alone. */
export function monthName(month: string): string {
  const date = new Date(`${month}-01T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? month : MONTH.format(date);
}

export const shortMonth = (month: string): string => SHORT.format(new Date(`${month}-01T00:00:00Z`));

/** Of another year than this one with the year. */
export function dayName(day: string): string {
  const now = today();
  if (day === now) return "Today";
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return day;
  return (day.slice(0, 4) === now.slice(0, 4) ? DAY : DAY_OF_YEAR).format(date);
}
