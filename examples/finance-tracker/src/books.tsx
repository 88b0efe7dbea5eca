/** The records that every page of the application reads, once for all of them, and what follows from them. */
import { createContext, useContext, useMemo, type ReactNode } from "react";
import {
  useAccounts, useBudgets, useCategories, useContacts, useTransactions,
  type Account, type Budget, type Category, type Contact, type Transaction,
} from "./generated/index.js";
import { cents, type Cents } from "./money.js";
import type { User } from "./session.js";

export interface Books {
  readonly user: User;
  readonly isLoading: boolean;
  readonly accounts: readonly Account[];
  readonly categories: readonly Category[];
  readonly budgets: readonly Budget[];
  readonly contacts: readonly Contact[];
  /** The latest first. */
  readonly transactions: readonly Transaction[];
  readonly account: (id: string | null) => Account | undefined;
  readonly category: (id: string | null) => Category | undefined;
  readonly contact: (id: string | null) => Contact | undefined;
  readonly balance: (account: Account) => Cents;
}

const Context = createContext<Books | undefined>(undefined);

export function useBooks(): Books {
  const books = useContext(Context);
  if (!books) throw new Error("the books are read below <BooksOf> only");
  return books;
}

const byName = (one: { name: string }, other: { name: string }): number => one.name.localeCompare(other.name);
/** Of one day the one that was made last; the server has not yet seen what has no time. */
const latestFirst = (one: Transaction, other: Transaction): number =>
  other.date.localeCompare(one.date) || madeAt(other).localeCompare(madeAt(one)) || other.id.localeCompare(one.id);
const madeAt = ({ created_at }: Transaction): string => created_at ?? "9999";
const byKey = <T extends { id: string }>(rows: readonly T[]): ReadonlyMap<string, T> => new Map(rows.map((row) => [row.id, row]));

export function BooksOf({ user, children }: { user: User; children: ReactNode }) {
  const all = { accounts: useAccounts(), categories: useCategories(), budgets: useBudgets(), contacts: useContacts(), transactions: useTransactions() };
  const isLoading = Object.values(all).some((one) => one.isLoading);
  const accounts = useMemo(() => [...all.accounts.data].sort(byName), [all.accounts.data]);
  const categories = useMemo(() => [...all.categories.data].sort(byName), [all.categories.data]);
  const contacts = useMemo(() => [...all.contacts.data].sort(byName), [all.contacts.data]);
  const transactions = useMemo(
    () => [...all.transactions.data].sort(latestFirst),
    [all.transactions.data],
  );
  const budgets = all.budgets.data;
  const books = useMemo((): Books => {
    const [accountsOf, categoriesOf, contactsOf] = [byKey(accounts), byKey(categories), byKey(contacts)];
    const moved = new Map<string, Cents>();
    for (const { account_id, amount } of transactions) moved.set(account_id, (moved.get(account_id) ?? 0) + cents(amount));
    return {
      user, isLoading, accounts, categories, budgets, contacts, transactions,
      account: (id) => (id === null ? undefined : accountsOf.get(id)),
      category: (id) => (id === null ? undefined : categoriesOf.get(id)),
      contact: (id) => (id === null ? undefined : contactsOf.get(id)),
      balance: (account) => cents(account.opening_balance) + (moved.get(account.id) ?? 0),
    };
  }, [user, isLoading, accounts, categories, budgets, contacts, transactions]);
  return <Context value={books}>{children}</Context>;
}

export interface MonthTotals {
  readonly income: Cents;
  /** Above zero. */
  readonly spent: Cents;
  /** Above zero, by category; `null` is no category. */
  readonly spentOn: ReadonlyMap<string | null, Cents>;
}

/** What came in and went out in each month. */
export function totalsByMonth(transactions: readonly Transaction[]): ReadonlyMap<string, MonthTotals> {
  const months = new Map<string, { income: Cents; spent: Cents; spentOn: Map<string | null, Cents> }>();
  for (const { date, amount, category_id } of transactions) {
    const month = date.slice(0, 7);
    const totals = months.get(month) ?? { income: 0, spent: 0, spentOn: new Map() };
    months.set(month, totals);
    const value = cents(amount);
    if (value >= 0) totals.income += value;
    else {
      totals.spent -= value;
      totals.spentOn.set(category_id, (totals.spentOn.get(category_id) ?? 0) - value);
    }
  }
  return months;
}

export const NOTHING: MonthTotals = { income: 0, spent: 0, spentOn: new Map() };
