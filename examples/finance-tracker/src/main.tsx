import { StrictMode, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.jsx";
import { BooksOf } from "./books.jsx";
import { closeDatabase, configure, deleteDatabase, initDatabase, sync } from "./generated/index.js";
import { currentUser, onLeft, readSetting, tellLeft, type User } from "./session.js";
import "./style/theme.css";
import "./style/layout.css";
import "./style/parts.css";

const root = createRoot(document.getElementById("root")!);

async function open(): Promise<void> {
  const setting = await readSetting();
  const user = currentUser(setting);
  // The server's own shapes, at another address: they tell roles.
  configure({ ...setting.client, apiUrl: "", shapeUrl: setting.shapeUrl, token: () => user.token, withRoles: true, role: user.role });
  await initDatabase(storageOf(user));
  const running = sync();
  onLeft(user, () => {
    root.render(<Left title="The books are closed">They are removed from this browser in another of its tabs.</Left>);
    void closeDatabase();
  });
  root.render(
    <StrictMode>
      <BooksOf user={user}>
        <App users={setting.users} sync={running} leave={() => leave(user)} />
      </BooksOf>
    </StrictMode>,
  );
}

const storageOf = ({ user }: User) => ({ indexedDb: `finance-tracker-${user}` });

/** Removes a user's books from this browser, in all tabs. */
async function leave(user: User): Promise<void> {
  // What is shown reads the database.
  root.render(<main className="splash"><span className="spinner" aria-hidden="true" /><p>Removing your books, once none of this browser&apos;s tabs has them open…</p></main>);
  tellLeft(user);
  await deleteDatabase(storageOf(user)).then(
    () => root.render(<Left title="The books are not in this browser any more">The server has what was sent to it.</Left>),
    (error: unknown) => root.render(<Left title="The books could not be removed">{sentenceOf(error)}</Left>),
  );
}

/** What went wrong, as a person reads it. */
function sentenceOf(error: unknown): string {
  const words = error instanceof Error ? error.message : String(error);
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`;
}

function Left({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="splash">
      <h1>{title}</h1>
      <p>{children}</p>
      <button type="button" className="button" onClick={() => location.reload()}>Open them again</button>
    </main>
  );
}

if (import.meta.env.PROD) void navigator.serviceWorker?.register("/sw.js");
root.render(<main className="splash"><span className="spinner" aria-hidden="true" /><p>Opening your books…</p></main>);
open().catch((error: unknown) => {
  root.render(
    <main className="splash" role="alert">
      <h1>The books did not open</h1>
      <p>{sentenceOf(error)}</p>
      <button type="button" className="button" onClick={() => location.reload()}>Try again</button>
    </main>,
  );
});
