import { useState } from "react";
import { useBooks } from "../books.jsx";
import {
  accountsCreateSchema, accountsMeta, accountsUpdateSchema, useCanAccount, useCreateAccount, useDeleteAccount, useUpdateAccount, type Account,
} from "../generated/index.js";
import { Icon } from "../icons.jsx";
import { cents, shown } from "../money.js";
import { Bar, Empty, Page } from "../parts.jsx";
import { RecordDialog, type FieldSpec } from "../record-dialog.jsx";

const KINDS = [
  { value: "checking", label: "Current account" }, { value: "savings", label: "Savings" },
  { value: "credit", label: "Credit card" }, { value: "cash", label: "Cash" },
] as const;

const FIELDS: readonly FieldSpec[] = [
  { name: "name", label: "Name", kind: "text" },
  { name: "kind", label: "Kind", kind: "choice", options: KINDS },
  { name: "opening_balance", label: "Opening balance", kind: "money", hint: "What was in it before the first transaction" },
  { name: "overdraft_limit", label: "Overdraft limit", kind: "money", hint: "How far it may go below zero" },
  { name: "closed", label: "Closed", kind: "check" },
];

/** Writes to accounts are confirmed: nothing here is shown before the server has it. */
export function Accounts() {
  const books = useBooks();
  const [edited, setEdited] = useState<string | "new">();
  const mayAdd = useCanAccount(undefined, "name");
  return (
    <Page title="Accounts" action={mayAdd ? <button type="button" className="button" onClick={() => setEdited("new")}><Icon name="plus" />New account</button> : null}>
      {books.accounts.length === 0 ? <Empty>{books.isLoading ? "Reading…" : "No accounts yet."}</Empty> : null}
      <div className="tiles">
        {books.accounts.map((account) => <Tile key={account.id} account={account} onEdit={() => setEdited(account.id)} />)}
      </div>
      {edited === undefined ? null : <AccountDialog row={books.accounts.find(({ id }) => id === edited)} onClose={() => setEdited(undefined)} />}
    </Page>
  );
}

function Tile({ account, onEdit }: { account: Account; onEdit: () => void }) {
  const { balance } = useBooks();
  const mayEdit = useCanAccount(account, "name");
  const value = balance(account);
  const limit = cents(account.overdraft_limit);
  return (
    <article className={`card tile ${account.closed ? "faded" : ""}`} aria-label={account.name} data-id={account.id}>
      <div className="card-head">
        <h2>{account.name}</h2>
        {mayEdit ? <button type="button" className="link" aria-label={`Edit ${account.name}`} onClick={onEdit}>Edit</button> : null}
      </div>
      <small>{KINDS.find((kind) => kind.value === account.kind)?.label}{account.closed ? " · closed" : ""}</small>
      <b className={`money big ${value < 0 ? "bad" : ""}`}>{shown(value)}</b>
      {limit > 0 ? (
        <>
          <Bar part={Math.max(0, -value) / limit} tone={-value > limit ? "over" : -value > limit * 0.8 ? "near" : "fine"} label={`Overdraft of ${account.name}`} />
          <small>{shown(Math.max(0, limit + Math.min(0, value)))} of {shown(limit)} overdraft left</small>
        </>
      ) : null}
    </article>
  );
}

function AccountDialog({ row, onClose }: { row: Account | undefined; onClose: () => void }) {
  return (
    <RecordDialog
      noun="account" meta={accountsMeta} fields={FIELDS} row={row} onClose={onClose} initial={{ kind: "checking" }}
      schemas={{ create: accountsCreateSchema, update: accountsUpdateSchema }}
      create={useCreateAccount()} update={useUpdateAccount()} remove={useDeleteAccount()}
    />
  );
}
