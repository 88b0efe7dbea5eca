import { useState } from "react";
import { useBooks } from "../books.jsx";
import {
  accountsCreateSchema, accountsMeta, accountsUpdateSchema, useCanAccount, useCreateAccount, useDeleteAccount, useUpdateAccount, type Account,
} from "../generated/index.js";
import { ACCOUNT_KINDS, readable } from "../fields.js";
import { Icon } from "../icons.jsx";
import { cents, shown } from "../money.js";
import { Bar, Empty, Page } from "../parts.jsx";
import { RecordDialog } from "../record-dialog.jsx";

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
      <small>{readable({ kind: "choice", options: ACCOUNT_KINDS }, account.kind)}{account.closed ? " · closed" : ""}</small>
      <b className={`money big ${value < 0 ? "bad" : ""}`}>{shown(value)}</b>
      {limit > 0 ? (
        <>
          <Bar part={Math.max(0, -value) / limit} tone={-value > limit ? "over" : -value > limit * 0.8 ? "near" : "fine"} label={`Overdraft of ${account.name}`} />
          <small className={value < -limit ? "bad" : ""}>{value < -limit ? `${shown(-value - limit)} below its limit of ${shown(limit)}` : `${shown(limit + Math.min(0, value))} of ${shown(limit)} overdraft left`}</small>
        </>
      ) : null}
    </article>
  );
}

function AccountDialog({ row, onClose }: { row: Account | undefined; onClose: () => void }) {
  return (
    <RecordDialog
      noun="account" meta={accountsMeta} row={row} onClose={onClose} initial={{ kind: "checking" }}
      schemas={{ create: accountsCreateSchema, update: accountsUpdateSchema }}
      create={useCreateAccount()} update={useUpdateAccount()} remove={useDeleteAccount()}
    />
  );
}
