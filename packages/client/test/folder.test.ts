/** The generated client's database in a folder, as an application outside of a browser has it, against the real server. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pendingChanges, readRow, type Row } from "@syncline/client";
import { closeDatabase, configure, contactsMeta, database, initDatabase, sync, useCreateContact } from "./generated/index.js";
import { render } from "./render.js";
import { serve, until } from "./served.js";

const NAMES = ["first_name", "local_notes", "_has_local_changes"];

/** What the open database shows of a contact. */
async function shown(id: string): Promise<unknown[]> {
  const row = await readRow(database(), "pglite", contactsMeta, id) as Row | undefined;
  return NAMES.map((name) => row?.[name]);
}

test("what was written to a database in a folder is there when it is opened again, and is sent then", async (context) => {
  const server = await serve(context);
  await server.stop();
  configure({ apiUrl: server.url });
  const home = mkdtempSync(join(tmpdir(), "syncline-folder-"));
  const storage = { folder: join(home, "address-book") };
  context.after(async () => {
    await closeDatabase();
    rmSync(home, { recursive: true, force: true });
  });

  await initDatabase(storage);
  sync();
  const page = await render(useCreateContact);
  const id = await page.current.mutateAsync({ first_name: "Ann", local_notes: "mine" }) as string;
  page.unmount();
  await closeDatabase();
  assert.ok(existsSync(join(storage.folder, "PG_VERSION")));

  await initDatabase(storage);
  assert.deepEqual(await shown(id), ["Ann", "mine", true]);
  assert.deepEqual((await pendingChanges(database())).map(({ entity, key }) => [entity, key]), [["contacts", id]]);
  await server.start();
  sync();
  await until("it is with the server", async () => (await shown(id))[2] === false);
  const kept = await (await fetch(`${server.url}/api/contacts/${id}`)).json() as Row;
  assert.deepEqual([kept["first_name"], kept["local_notes"]], ["Ann", undefined]);
  await closeDatabase();

  await initDatabase(storage);
  assert.deepEqual(await shown(id), ["Ann", "mine", false]);
  assert.deepEqual(await pendingChanges(database()), []);
});
