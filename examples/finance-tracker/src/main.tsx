import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.jsx";
import { BooksOf } from "./books.jsx";
import { configure, initDatabase, sync } from "./generated/index.js";
import { currentUser, readSetting } from "./session.js";
import "./style/theme.css";
import "./style/layout.css";
import "./style/parts.css";

const root = createRoot(document.getElementById("root")!);

async function open(): Promise<void> {
  const setting = await readSetting();
  const user = currentUser(setting);
  // The server's own shapes, at another address: they tell roles.
  configure({ ...setting.client, apiUrl: "", shapeUrl: setting.shapeUrl, token: () => user.token, withRoles: true, role: user.role });
  await initDatabase({ indexedDb: `finance-tracker-${user.user}` });
  const running = sync();
  root.render(
    <StrictMode>
      <BooksOf user={user}>
        <App users={setting.users} sync={running} />
      </BooksOf>
    </StrictMode>,
  );
}

if (import.meta.env.PROD) void navigator.serviceWorker?.register("/sw.js");
root.render(<main className="splash"><span className="spinner" aria-hidden="true" /><p>Opening your books…</p></main>);
open().catch((error: unknown) => {
  root.render(
    <main className="splash" role="alert">
      <h1>The books did not open</h1>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      <button type="button" className="button" onClick={() => location.reload()}>Try again</button>
    </main>,
  );
});
