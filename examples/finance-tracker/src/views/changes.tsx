import type { Change, WriteError } from "@syncline/client";
import { usePendingWrites, useRejectedWrites } from "@syncline/client/react";
import { useBooks, type Books } from "../books.jsx";
import { fieldsOf, readable, reasonOf } from "../fields.js";
import { database } from "../generated/index.js";
import { monthName } from "../months.js";
import { Card, Empty, Page } from "../parts.jsx";

const ACTIONS = { insert: "New", update: "Changed", delete: "Deleted" } as const;
const NOUNS: Record<string, string> = { accounts: "account", transactions: "transaction", categories: "category", budgets: "budget", contacts: "contact" };

/** What this browser has written and the server does not have: on its way, or refused and waiting for a person. */
export function Changes({ leave }: { leave: () => Promise<void> }) {
  const pending = usePendingWrites(database());
  const { writes, isLoading, retry, discard, exportAll } = useRejectedWrites(database());
  const save = async (): Promise<void> => {
    const address = URL.createObjectURL(new Blob([await exportAll()], { type: "application/json" }));
    const link = Object.assign(document.createElement("a"), { href: address, download: "unsent-changes.json" });
    link.click();
    URL.revokeObjectURL(address);
  };
  const count = (pending?.length ?? 0) + writes.length;
  const remove = (): void => {
    const unsent = count === 0 ? "" : ` ${count === 1 ? "One change is" : `${count} changes are`} not with the server, and would be lost too.`;
    if (confirm(`Remove your books from this browser? Private notes and memos are in it alone, and would be lost.${unsent}`)) void leave();
  };
  return (
    <Page title="Changes" action={count > 0 ? <button type="button" className="button plain" onClick={() => void save()}>Export</button> : null}>
      <Card title="Refused" className="refused">
        {!isLoading && writes.length === 0 ? <Empty>The server has refused nothing.</Empty> : null}
        {writes.map((change) => (
          <article key={change.writeId} className="refusal" aria-label={`Refused ${change.entity}`}>
            <header><Told change={change} /></header>
            {change.error ? <Reason entity={change.entity} error={change.error} /> : null}
            <div className="refusal-foot">
              <button type="button" className="button small" onClick={() => void retry(change.writeId)}>{change.error?.conflicts ? "Use mine" : "Try again"}</button>
              <button type="button" className="button small plain" onClick={() => void discard(change.writeId)}>{change.error?.conflicts ? "Use theirs" : "Discard"}</button>
            </div>
          </article>
        ))}
      </Card>
      <Card title="On their way">
        {pending?.length === 0 ? <Empty>Nothing is on its way.</Empty> : null}
        <ul className="rows">
          {pending?.map((change) => <li key={change.writeId} className="row"><Told change={change} /><small>{change.attempts === 0 ? "not tried yet" : change.attempts === 1 ? "tried once" : `tried ${change.attempts} times`}</small></li>)}
        </ul>
      </Card>
      <Card title="This browser" aside={<button type="button" className="button small plain" onClick={remove} disabled={pending === undefined || isLoading}>Remove my books</button>}>
        <Empty>Your books are kept here, so that they open without a connection. On somebody else&apos;s machine, remove them when you leave.</Empty>
      </Card>
    </Page>
  );
}

function Told({ change }: { change: Change }) {
  const books = useBooks();
  return <span className="row-main"><span className="row-title">{ACTIONS[change.operation]} {NOUNS[change.entity] ?? change.entity} <b>{nameOf(books, change)}</b></span></span>;
}

/** Why the server refused it; of what somebody else has changed too, what was seen, wanted and found. */
function Reason({ entity, error }: { entity: string; error: WriteError }) {
  const fields = fieldsOf(entity, useBooks());
  const rows = Object.entries(error.conflicts ?? {}).map(([name, values]) => ({
    field: fields.find((field) => field.name === name) ?? { name, label: name, kind: "text" as const }, values,
  }));
  return (
    <>
      <p className="reason">{reasonOf(error, fields)}</p>
      {rows.length === 0 ? null : (
        <table className="conflict">
          <thead><tr><th scope="col">Field</th><th scope="col">Before</th><th scope="col">Mine</th><th scope="col">Theirs</th></tr></thead>
          <tbody>
            {rows.map(({ field, values: { base, mine, theirs } }) => (
              <tr key={field.name}><th scope="row">{field.label}</th><td>{readable(field, base)}</td><td>{readable(field, mine)}</td><td>{readable(field, theirs)}</td></tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function nameOf(books: Books, { entity, key, value, base }: Change): string {
  const field = (name: string): unknown => value[name] ?? base[name];
  const named = field("name") ?? field("description");
  if (named !== undefined && named !== null) return String(named);
  if (entity === "budgets") {
    const budget = books.budgets.find(({ id }) => id === key);
    const category = books.category((field("category_id") as string | undefined) ?? budget?.category_id ?? null);
    const month = (field("month") as string | undefined) ?? budget?.month;
    return [category?.name, month === undefined ? undefined : monthName(month)].filter(Boolean).join(", ");
  }
  return books.transactions.find(({ id }) => id === key)?.description
    ?? [...books.accounts, ...books.categories, ...books.contacts].find(({ id }) => id === key)?.name ?? key.slice(0, 8);
}
