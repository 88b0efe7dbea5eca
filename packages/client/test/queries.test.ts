/** The generated hooks of TanStack Query: they read and write the view in the page's database, with a server or without. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createElement } from "react";
import { pendingChanges } from "@syncline/client";
import {
  closeDatabase, configure, contactsKeys, database, initDatabase, sync, useContactQuery, useContactsQuery, useCreateContactMutation,
  useDeleteContactMutation, useUpdateContactMutation,
} from "./generated/index.js";
import { render } from "./render.js";
import { serve, until } from "./served.js";

test("queries show the page's own database, and mutations write to it, without a server as with one", async (context) => {
  const server = await serve(context);
  await server.stop();
  configure({ apiUrl: server.url });
  await initDatabase();
  context.after(closeDatabase);
  const client = new QueryClient();
  context.after(async () => client.clear());
  const id = crypto.randomUUID();
  const page = await render(() => ({
    all: useContactsQuery(), one: useContactQuery(id),
    create: useCreateContactMutation(), update: useUpdateContactMutation(), remove: useDeleteContactMutation(),
  }), (child) => createElement(QueryClientProvider, { client }, child));
  await until("there is nothing", async () => page.current.all.data?.length === 0 && page.current.one.data === null);
  assert.equal(await page.current.create.mutateAsync({ id, first_name: "Ann", local_notes: "mine" }), id);
  await until("what was made is shown", async () => page.current.all.data?.[0]?.first_name === "Ann" && page.current.one.data?.local_notes === "mine");
  await page.current.update.mutateAsync({ key: id, changes: { local_notes: null, email: "a@example.org" } });
  await until("the change is shown", async () => page.current.one.data?.email === "a@example.org" && page.current.one.data.local_notes === null);
  assert.deepEqual(client.getQueryData(contactsKeys.one(id)), page.current.one.data);
  await server.start();
  sync();
  await until("it is sent", async () => (await pendingChanges(database())).length === 0);
  const answer = await fetch(`${server.url}/api/contacts/${id}`, { method: "PATCH", body: JSON.stringify({ first_name: "Anna" }) });
  assert.equal(answer.status, 200);
  await until("another's change is shown", async () => page.current.all.data?.[0]?.first_name === "Anna" && page.current.one.data?.first_name === "Anna");
  await page.current.remove.mutateAsync(id);
  await until("it is gone", async () => page.current.all.data?.length === 0 && page.current.one.data === null);
  page.unmount();
});
