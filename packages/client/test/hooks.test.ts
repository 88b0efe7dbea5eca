/** The generated hooks, rendered, against the real server: what a component sees of each kind of write. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WriteFailure, type LocalDatabase, type Sync } from "@syncline/client";
import { usePendingWrites, useRejectedWrites, useSyncState } from "@syncline/client/react";
import { sqliteDatabase } from "@syncline/client/sqlite";
import { sqliteDriver } from "./databases.js";
import {
  closeDatabase, configure, database, initDatabase, sync,
  useAccounts, useCanContact, useContact, useContacts, useCreateAccount, useCreateContact, useDeleteContact,
  useUpdateAccount, useUpdateContact,
} from "./generated/index.js";
import * as memory from "./generated-memory/index.js";
import { render, type Rendered } from "./render.js";
import { serve, until, type Context, type Served } from "./served.js";

/** The server, the generated client's own database, and its sync. */
async function open(context: Context): Promise<{ server: Served; running: Sync }> {
  const server = await serve(context);
  configure({ apiUrl: server.url });
  await initDatabase();
  const running = sync();
  context.after(closeDatabase);
  return { server, running };
}

/** What a page that shows contacts uses. */
const usePage = () => ({
  all: useContacts(),
  create: useCreateContact(),
  update: useUpdateContact(),
  remove: useDeleteContact(),
  pending: usePendingWrites(database()),
  rejected: useRejectedWrites(database()),
});

const names = ({ current }: Rendered<{ all: { data: { first_name: string }[] } }>): string[] =>
  current.all.data.map((row) => row.first_name).sort();

test("a database is opened once, and named after where it lies", async (context) => {
  context.after(closeDatabase);
  const [one, other] = await Promise.all([initDatabase(), initDatabase()]);
  assert.equal(one, other);
  assert.equal(database(), one);
  await closeDatabase();
  assert.throws(database, /not open/);
  const fails = () => Promise.reject(new Error("no disk"));
  const broken: LocalDatabase = { ...one, query: async () => [], transaction: fails };
  await assert.rejects(initDatabase({ opened: broken, name: "mine" }), /no disk/);
  assert.notEqual(await initDatabase(), one);
});

test("a database of SQLite serves the same hooks, and is its opener's", async (context) => {
  const server = await serve(context);
  configure({ apiUrl: server.url });
  const sqlite = await initDatabase({ opened: sqliteDatabase(sqliteDriver()), name: "sqlite" });
  context.after(closeDatabase);
  const running = sync();
  const page = await render(usePage);
  const state = await render(() => useSyncState(running));
  await until("all is read", async () => state.current.feeds["contacts"]?.status === "live");
  const id = await page.current.create.mutateAsync({ first_name: "Ann", local_notes: "mine" }) as string;
  await until("it is with the server", async () => names(page).join() === "Ann" && page.current.pending?.length === 0);
  const row = await (await fetch(`${server.url}/api/contacts/${id}`)).json() as { first_name: string };
  assert.deepEqual([row.first_name, page.current.all.data[0]?.local_notes, database()], ["Ann", "mine", sqlite]);
});

test("an optimistic write is shown at once, waits for its server, and then stands alone", async (context) => {
  const { server, running } = await open(context);
  const page = await render(usePage);
  const state = await render(() => useSyncState(running));
  await until("all is read", async () => state.current.feeds["contacts"]?.status === "live");
  await server.stop();
  const id = await page.current.create.mutateAsync({ first_name: "Ann" }) as string;
  await until("it is shown", async () => names(page).join() === "Ann" && page.current.pending?.length === 1);
  assert.equal(page.current.all.data[0]?._has_local_changes, true);
  await page.current.update.mutateAsync({ key: id, changes: { first_name: "Anna", email: null } });
  await until("the change is shown", async () => names(page).join() === "Anna");
  assert.ok(page.current.pending?.length);
  await server.start();
  await until("nothing is unsent", async () => page.current.pending?.length === 0);
  await until("nothing stays on top", async () => page.current.all.data[0]?._has_local_changes === false);
  const one = await render(() => useContact(id));
  await until("one alone is shown", async () => one.current.data?.first_name === "Anna");
  await page.current.remove.mutateAsync(id);
  await until("it is gone", async () => page.current.all.data.length === 0 && one.current.data === undefined);
  for (const { unmount } of [page, state, one]) unmount();
});

test("a refused write goes back, is told with its reason, and can be tried again, exported and let go", async (context) => {
  await open(context);
  const page = await render(usePage);
  const key = await page.current.create.mutateAsync({ first_name: "Ann", status: "new" }) as string;
  await until("it is stored", async () => page.current.all.data[0]?._has_local_changes === false);
  await page.current.update.mutateAsync({ key, changes: { status: "neither" as "old" } });
  await until("it is refused", async () => page.current.rejected.writes.length === 1);
  await until("what was there is shown", async () => page.current.all.data[0]?.status === "new");
  const [refused] = page.current.rejected.writes;
  assert.equal(refused?.error?.code, "validation_failed");
  assert.equal(refused?.error?.fields?.[0]?.field, "status");
  assert.match(await page.current.rejected.exportAll(), /neither/);
  await page.current.rejected.retry(refused.writeId);
  await until("it is refused again, under another name", async () => {
    const [again] = page.current.rejected.writes;
    return again !== undefined && again.writeId !== refused.writeId;
  });
  await page.current.rejected.discard(page.current.rejected.writes[0]!.writeId);
  await until("nothing is left of it", async () => page.current.rejected.writes.length === 0);
  page.unmount();
});

test("a confirmed write is done when the server has it, and fails with the server's reason", async (context) => {
  const { server } = await open(context);
  const page = await render(() => ({ all: useAccounts(), create: useCreateAccount(), update: useUpdateAccount() }));
  await server.stop();
  const waiting = page.current.create.mutateAsync({ name: "Savings" });
  await until("it is under way", async () => page.current.create.isPending);
  assert.equal(page.current.all.data.length, 0);
  await server.start();
  const key = await waiting as string;
  await until("it is shown", async () => page.current.all.data[0]?.name === "Savings" && !page.current.create.isPending);
  await assert.rejects(
    page.current.update.mutateAsync({ key, changes: { name: "" } }),
    (error) => error instanceof WriteFailure && error.code === "validation_failed",
  );
  await until("the failure is shown", async () => page.current.update.error instanceof WriteFailure);
  assert.equal(page.current.all.data[0]?.name, "Savings");
  page.unmount();
});

test("a component knows which fields its user may write", async (context) => {
  await open(context);
  const row = (role: "viewer" | "editor" | "owner" | null) => ({ id: "a", first_name: "Ann", _role: role }) as never;
  const can = await render(() => [
    useCanContact(row("viewer"), "first_name"), useCanContact(row("editor"), "first_name"), useCanContact(row("editor"), "credit_limit"),
    useCanContact(row("owner"), "credit_limit"), useCanContact(row("owner"), "created_at"), useCanContact(row("viewer"), "local_notes"),
    useCanContact(undefined, "first_name"), useCanContact(undefined, "credit_limit"),
  ]);
  assert.deepEqual(can.current, [false, true, false, true, false, true, true, false]);
  configure({ role: "viewer" });
  const viewer = await render(() => [useCanContact(undefined, "first_name"), useCanContact(row(null), "first_name"), useCanContact(row("owner"), "first_name")]);
  assert.deepEqual(viewer.current, [false, false, true]);
  configure({ role: "owner" });
  const owner = await render(() => useCanContact(undefined, "credit_limit"));
  assert.equal(owner.current, true);
  for (const { unmount } of [can, viewer, owner]) unmount();
});

test("without a database the same hooks show what the server has, and writes on top", async (context) => {
  const server = await serve(context);
  memory.configure({ apiUrl: server.url });
  const page = await render(() => ({ all: memory.useContacts(), create: memory.useCreateContact(), update: memory.useUpdateContact(), remove: memory.useDeleteContact() }));
  const accounts = await render(() => ({ all: memory.useAccounts(), create: memory.useCreateAccount() }));
  const key = await page.current.create.mutateAsync({ first_name: "Ann" }) as string;
  await until("it is shown", async () => names(page).join() === "Ann");
  const made = await fetch(`${server.url}/api/contacts/${key}`);
  assert.equal((await made.json() as { first_name: string }).first_name, "Ann");
  await page.current.update.mutateAsync({ key, changes: { first_name: "Anna" } });
  await until("the change is shown", async () => names(page).join() === "Anna");
  assert.equal(page.current.all.data[0]?._role, "owner");
  await assert.rejects(
    page.current.update.mutateAsync({ key, changes: { status: "neither" as "old" } }),
    (error) => error instanceof WriteFailure && error.code === "validation_failed" && error.error.fields?.[0]?.field === "status",
  );
  await until("what was there is shown", async () => names(page).join() === "Anna" && page.current.all.data[0]?.status == null);
  await accounts.current.create.mutateAsync({ name: "Savings" });
  await until("the account is shown", async () => accounts.current.all.data[0]?.name === "Savings");
  await page.current.remove.mutateAsync(key);
  await until("it is gone", async () => page.current.all.data.length === 0);
  await server.stop();
  // A connection that was kept open may not have heard of the end yet: what breaks on one may have left.
  await until("nobody listens", () => fetch(server.url).then(() => false, (error: Error) => (error.cause as { code?: string }).code === "ECONNREFUSED"));
  memory.configure({ apiUrl: server.url, retries: 0 });
  await assert.rejects(accounts.current.create.mutateAsync({ name: "Current" }), (error) => error instanceof WriteFailure && error.code === "offline");
  page.unmount();
  accounts.unmount();
});
