import { memo, useDeferredValue, useMemo, useState } from "react";
import { useBooks } from "../books.jsx";
import {
  transactionsCreateSchema, transactionsMeta, transactionsUpdateSchema, useCanTransaction, useCreateTransaction, useDeleteTransaction,
  useUpdateTransaction, type Transaction,
} from "../generated/index.js";
import { Icon } from "../icons.jsx";
import { cents, signed } from "../money.js";
import { dayName, today } from "../months.js";
import { Dot, Empty, Page, Unsent } from "../parts.jsx";
import { RecordDialog } from "../record-dialog.jsx";

export function Transactions() {
  const books = useBooks();
  const [edited, setEdited] = useState<string | "new">();
  const [filter, setFilter] = useState({ text: "", account: "", category: "" });
  const wanted = useDeferredValue(filter);
  const rows = useMemo(() => books.transactions.filter((row) => {
    const text = wanted.text.trim().toLowerCase();
    const who = books.contact(row.contact_id)?.name ?? "";
    return (wanted.account === "" || row.account_id === wanted.account) && (wanted.category === "" || row.category_id === wanted.category)
      && (text === "" || `${row.description} ${who} ${row.private_memo ?? ""}`.toLowerCase().includes(text));
  }), [books, wanted]);
  const days = useMemo(() => {
    const days = new Map<string, Transaction[]>();
    for (const row of rows) days.set(row.date, [...(days.get(row.date) ?? []), row]);
    return [...days];
  }, [rows]);
  const mayAdd = useCanTransaction(undefined, "amount");
  return (
    <Page title="Transactions" action={mayAdd ? <button type="button" className="button" onClick={() => setEdited("new")}><Icon name="plus" />New transaction</button> : null}>
      <div className="filters">
        <label className="search"><Icon name="search" /><input type="search" aria-label="Search" placeholder="Search" value={filter.text} onChange={(event) => setFilter({ ...filter, text: event.target.value })} /></label>
        <select aria-label="Account" value={filter.account} onChange={(event) => setFilter({ ...filter, account: event.target.value })}>
          <option value="">All accounts</option>
          {books.accounts.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
        </select>
        <select aria-label="Category" value={filter.category} onChange={(event) => setFilter({ ...filter, category: event.target.value })}>
          <option value="">All categories</option>
          {books.categories.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
        </select>
        <output className="count" aria-label="Rows shown">{rows.length === 1 ? "1 transaction" : `${rows.length.toLocaleString("en-IE")} transactions`}</output>
      </div>
      {rows.length === 0 ? <Empty>{books.isLoading ? "Reading…" : "There is none like that."}</Empty> : null}
      <div className="days">
        {days.map(([day, rows]) => (
          <section key={day} className="day" aria-label={dayName(day)}>
            <h2>{dayName(day)}<span className="money">{signed(rows.reduce((sum, row) => sum + cents(row.amount), 0))}</span></h2>
            <ul className="rows">
              {rows.map((row) => (
                <Line key={row.id} row={row} account={books.account(row.account_id)?.name} category={books.category(row.category_id)?.name}
                  color={books.category(row.category_id)?.color} contact={books.contact(row.contact_id)?.name} onEdit={setEdited} />
              ))}
            </ul>
          </section>
        ))}
      </div>
      {edited === undefined ? null : <TransactionDialog row={books.transactions.find(({ id }) => id === edited)} onClose={() => setEdited(undefined)} />}
    </Page>
  );
}

interface LineProps {
  row: Transaction;
  account: string | undefined;
  category: string | undefined;
  color: string | null | undefined;
  contact: string | undefined;
  onEdit: (id: string) => void;
}

const Line = memo(function Line({ row, account, category, color, contact, onEdit }: LineProps) {
  const mayEdit = useCanTransaction(row, "description");
  const value = cents(row.amount);
  return (
    <li className="row" data-id={row.id}>
      <Dot color={color} />
      <div className="row-main">
        <span className="row-title">{row.description}<Unsent row={row} /></span>
        <small>{[category ?? "No category", contact, account].filter(Boolean).join(" · ")}</small>
      </div>
      {row.cleared ? <span className="cleared" title="The bank shows it too"><Icon name="check" /></span> : null}
      <b className={`money ${value > 0 ? "good" : ""}`}>{signed(value)}</b>
      {mayEdit ? <button type="button" className="link" aria-label={`Edit ${row.description}`} onClick={() => onEdit(row.id)}>Edit</button> : null}
    </li>
  );
});

function TransactionDialog({ row, onClose }: { row: Transaction | undefined; onClose: () => void }) {
  const { accounts } = useBooks();
  return (
    <RecordDialog
      noun="transaction" meta={transactionsMeta} row={row} onClose={onClose}
      initial={{ date: today(), account_id: (accounts.find(({ kind, closed }) => kind === "checking" && !closed) ?? accounts[0])?.id ?? null }}
      schemas={{ create: transactionsCreateSchema, update: transactionsUpdateSchema }}
      create={useCreateTransaction()} update={useUpdateTransaction()} remove={useDeleteTransaction()}
    />
  );
}
