import { useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import type { Sync } from "@syncline/client";
import { usePendingWrites, useRejectedWrites, useSyncState } from "@syncline/client/react";
import { useBooks } from "./books.jsx";
import { fieldsOf, reasonOf } from "./fields.js";
import { database } from "./generated/index.js";
import { Icon, type IconName } from "./icons.jsx";
import { dismiss, useNotice } from "./notices.js";
import { become, type User } from "./session.js";
import { Accounts } from "./views/accounts.jsx";
import { Budgets } from "./views/budgets.jsx";
import { Categories } from "./views/categories.jsx";
import { Contacts } from "./views/contacts.jsx";
import { Overview } from "./views/overview.jsx";
import { Changes } from "./views/changes.jsx";
import { Transactions } from "./views/transactions.jsx";

const PAGES: readonly { path: string; title: string; icon: IconName; view: (leave: () => Promise<void>) => ReactNode }[] = [
  { path: "", title: "Overview", icon: "overview", view: () => <Overview /> },
  { path: "transactions", title: "Transactions", icon: "transactions", view: () => <Transactions /> },
  { path: "accounts", title: "Accounts", icon: "accounts", view: () => <Accounts /> },
  { path: "budgets", title: "Budgets", icon: "budgets", view: () => <Budgets /> },
  { path: "categories", title: "Categories", icon: "categories", view: () => <Categories /> },
  { path: "contacts", title: "Contacts", icon: "contacts", view: () => <Contacts /> },
  { path: "changes", title: "Changes", icon: "sync", view: (leave) => <Changes leave={leave} /> },
];

const onHash = (see: () => void): (() => void) => {
  addEventListener("hashchange", see);
  return () => removeEventListener("hashchange", see);
};

export function App({ users, sync, leave }: { users: readonly User[]; sync: Sync; leave: () => Promise<void> }) {
  const { user } = useBooks();
  const hash = useSyncExternalStore(onHash, () => location.hash);
  const page = PAGES.find(({ path }) => `#/${path}` === hash) ?? PAGES[0]!;
  const { writes } = useRejectedWrites(database());
  useEffect(() => {
    document.title = `${page.title} · Finance tracker`;
    scrollTo(0, 0);
  }, [page]);
  return (
    <div className="shell">
      <aside className="side">
        <a className="brand" href="#/"><img src="/icon.svg" alt="" width="32" height="32" /><span>Finance tracker</span></a>
        <nav aria-label="Pages">
          {PAGES.map(({ path, title, icon }) => (
            <a key={path} href={`#/${path}`} aria-current={path === page.path ? "page" : undefined}>
              <Icon name={icon} /><span>{title}</span>
              {path === "changes" && writes.length > 0 ? <b className="badge" aria-label={`${writes.length} refused`}>{writes.length}</b> : null}
            </a>
          ))}
        </nav>
        <div className="side-foot">
          <Connection sync={sync} />
          <label className="who">
            <span className="avatar" aria-hidden="true">{user.name.slice(0, 1)}</span>
            <select aria-label="User" value={user.user} onChange={(event) => become(users.find((one) => one.user === event.target.value) ?? user)}>
              {users.map((one) => <option key={one.user} value={one.user}>{`${one.name} · ${one.role}`}</option>)}
            </select>
          </label>
        </div>
      </aside>
      <main>{page.view(leave)}</main>
      <Toasts />
    </div>
  );
}

const onLine = (see: () => void): (() => void) => {
  addEventListener("online", see);
  addEventListener("offline", see);
  return () => {
    removeEventListener("online", see);
    removeEventListener("offline", see);
  };
};

/** Whether what is shown is what the server has, and what is on its way there. */
function Connection({ sync }: { sync: Sync }) {
  const isOnline = useSyncExternalStore(onLine, () => navigator.onLine);
  const { fault, feeds, sender } = useSyncState(sync);
  const pending = usePendingWrites(database())?.length ?? 0;
  const states = Object.values(feeds);
  const isWaiting = states.some(({ status }) => status === "waiting") || sender.status === "waiting";
  const refused = states.find(({ status }) => status === "refused");
  const isLive = states.length > 0 && states.every(({ status }) => status === "live");
  const [tone, text] = fault ? ["bad", "Stopped"]
    : sender.status === "unauthorized" || states.some(({ status }) => status === "unauthorized") ? ["bad", "Signed out"]
    : refused ? ["bad", "Page out of date"]
    : !isOnline ? ["off", "Offline"]
    : isWaiting ? ["off", "No server"]
    : isLive ? ["on", "Online"] : ["busy", "Connecting"];
  const unsent = pending === 0 ? "" : ` · ${pending} unsent`;
  return (
    <div className={`connection ${tone}`} role="status" aria-label="Connection" title={(fault ?? refused?.error ?? sender.error)?.message ?? ""}>
      <span className="lamp" aria-hidden="true" /><span>{text}{unsent}</span>
      {fault ? <button type="button" className="quiet" onClick={sync.restart}>Restart</button> : null}
    </div>
  );
}

/** Tells of each refused write, on whatever page it happens, until its reader has looked; and of what has no form any more to tell it. */
function Toasts() {
  const books = useBooks();
  const { writes } = useRejectedWrites(database());
  const [seen, setSeen] = useState<readonly string[]>([]);
  const notice = useNotice();
  const isLooking = location.hash === "#/changes";
  useEffect(() => {
    if (isLooking) setSeen((before) => (writes.every(({ writeId }) => before.includes(writeId)) ? before : writes.map(({ writeId }) => writeId)));
  }, [isLooking, writes]);
  if (notice) {
    return (
      <Toast onDismiss={() => dismiss(notice)}><p><strong>{notice.title} came to nothing.</strong> {notice.reason}</p></Toast>
    );
  }
  const next = writes.find(({ writeId }) => !seen.includes(writeId));
  if (!next || isLooking) return null;
  return (
    <Toast onDismiss={() => setSeen([...seen, next.writeId])}>
      <p><strong>A change was not taken.</strong> {next.error ? reasonOf(next.error, fieldsOf(next.entity, books)) : null}</p>
      <a className="button small" href="#/changes">Look</a>
    </Toast>
  );
}

function Toast({ onDismiss, children }: { onDismiss: () => void; children: ReactNode }) {
  return (
    <div className="toast" role="alert">
      <Icon name="warning" />
      {children}
      <button type="button" className="quiet" aria-label="Dismiss" onClick={onDismiss}><Icon name="close" /></button>
    </div>
  );
}
