/** Pages that came over plain HTTP from another machine: browsers keep a part of what they offer from them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { initDatabase } from "./generated/index.js";
import { configure, contactsClient, newId, useContacts, useCreateContact } from "./generated-memory/index.js";
import { render } from "./render.js";
import { serve, until } from "./served.js";

test("a page that may have no database is told so, and one without a database makes records there, too", async (context) => {
  const server = await serve(context);
  const randomUUID = crypto.randomUUID;
  Object.assign(globalThis, { isSecureContext: false });
  Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true, writable: true });
  context.after(() => {
    Object.assign(globalThis, { isSecureContext: undefined });
    Object.assign(crypto, { randomUUID });
  });
  await assert.rejects(initDatabase(), /over plain HTTP from another machine: open it over HTTPS, or at http:\/\/localhost/);

  const ids = Array.from({ length: 1_000 }, newId);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  configure({ apiUrl: server.url });
  const page = await render(() => ({ all: useContacts(), create: useCreateContact() }));
  const made = await page.current.create.mutateAsync({ first_name: "Ann" });
  await until("it is shown", async () => page.current.all.data.some(({ id }) => id === made));
  assert.equal((await contactsClient.update(made, { first_name: "Anna" })).first_name, "Anna");
  page.unmount();
});
