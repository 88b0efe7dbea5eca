/** What the fields of each kind of record are called, how they are written, and how what is wrong with them is said. */
import type { WriteError } from "@syncline/client";
import type { Books } from "./books.jsx";
import { cents, decimal, shown } from "./money.js";
import { monthName } from "./months.js";

export interface FieldSpec {
  readonly name: string;
  readonly label: string;
  /** `flow` is money that came in or went out. */
  readonly kind: "text" | "long" | "money" | "flow" | "date" | "month" | "choice" | "check" | "colour";
  readonly options?: readonly Option[];
  readonly hint?: string;
}

interface Option { readonly value: string; readonly label: string }

export const ACCOUNT_KINDS: readonly Option[] = [
  { value: "checking", label: "Current account" }, { value: "savings", label: "Savings" },
  { value: "credit", label: "Credit card" }, { value: "cash", label: "Cash" },
];

export const CONTACT_KINDS: readonly Option[] = [
  { value: "shop", label: "Shop" }, { value: "person", label: "Person" }, { value: "employer", label: "Employer" },
];

const ACCOUNT: readonly FieldSpec[] = [
  { name: "name", label: "Name", kind: "text" },
  { name: "kind", label: "Kind", kind: "choice", options: ACCOUNT_KINDS },
  { name: "opening_balance", label: "Opening balance", kind: "money", hint: "What was in it before the first transaction" },
  { name: "overdraft_limit", label: "Overdraft limit", kind: "money", hint: "How far it may go below zero" },
  { name: "closed", label: "Closed", kind: "check" },
];

const CATEGORY: readonly FieldSpec[] = [
  { name: "name", label: "Name", kind: "text" },
  { name: "kind", label: "Kind", kind: "choice", options: [{ value: "expense", label: "Money out" }, { value: "income", label: "Money in" }] },
  { name: "color", label: "Colour", kind: "colour" },
];

const CONTACT: readonly FieldSpec[] = [
  { name: "name", label: "Name", kind: "text" },
  { name: "email", label: "E-mail", kind: "text" },
  { name: "kind", label: "Kind", kind: "choice", options: CONTACT_KINDS },
  { name: "credit_limit", label: "Credit limit", kind: "money", hint: "How much we lend at most" },
  { name: "private_notes", label: "Private notes", kind: "long" },
];

const choices = (rows: readonly { id: string; name: string }[]): Option[] => rows.map(({ id, name }) => ({ value: id, label: name }));

const budget = ({ categories }: Books): FieldSpec[] => [
  { name: "category_id", label: "Category", kind: "choice", options: choices(categories.filter(({ kind }) => kind === "expense")) },
  { name: "month", label: "Month", kind: "month" },
  { name: "amount", label: "At most", kind: "money" },
  { name: "note", label: "Note", kind: "text" },
];

const transaction = ({ accounts, categories, contacts }: Books): FieldSpec[] => [
  { name: "description", label: "What for", kind: "text" },
  { name: "amount", label: "Amount", kind: "flow" },
  { name: "date", label: "Date", kind: "date" },
  { name: "account_id", label: "Account", kind: "choice", options: choices(accounts) },
  { name: "category_id", label: "Category", kind: "choice", options: choices(categories) },
  { name: "contact_id", label: "With", kind: "choice", options: choices(contacts) },
  { name: "cleared", label: "The bank shows it too", kind: "check" },
  { name: "private_memo", label: "Private memo", kind: "long" },
];

/** The fields of an entity, in the order of its form. */
export function fieldsOf(entity: string, books: Books): readonly FieldSpec[] {
  switch (entity) {
    case "accounts": return ACCOUNT;
    case "budgets": return budget(books);
    case "categories": return CATEGORY;
    case "contacts": return CONTACT;
    case "transactions": return transaction(books);
    default: return [];
  }
}

/** A value as a person reads it. */
export function readable({ kind, options }: Pick<FieldSpec, "kind" | "options">, value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  if (kind === "money" || kind === "flow") return shown(cents(decimal(cents(String(value)))));
  if (kind === "check") return value === true ? "yes" : "no";
  if (kind === "month") return monthName(String(value));
  return options?.find((option) => option.value === value)?.label ?? String(value);
}

/** What a Zod schema found wrong with a value. */
export interface Issue { readonly path: readonly PropertyKey[]; readonly code: string; readonly maximum?: number | bigint }

/** What is wrong with the value of a field, for a person. */
export function problemOf({ code, maximum }: Issue, { kind, name }: FieldSpec, value: unknown): string {
  if (value === null || value === undefined || value === "") return "This is needed";
  if (code === "too_big") return `At most ${maximum} characters`;
  if (kind === "money" || kind === "flow") return "An amount, such as 12.50";
  if (name === "email") return "An address, such as ada@example.org";
  return "This does not fit here";
}

/** Why the server refused a write, for a person. */
export function reasonOf({ conflicts, fields, message }: WriteError, specs: readonly FieldSpec[]): string {
  if (conflicts) return "Somebody else has changed it since.";
  if (!fields?.length) return sentence(message);
  return fields.map(({ field, message }) => sentence(`${specs.find(({ name }) => name === field)?.label ?? field}: ${message}`)).join(" ");
}

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
