/** Collections of a page without a database: what they send, what they show, and how their writes end. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { HttpFailure, request, WriteFailure, type Row } from "@syncline/client";
import { memoryCollection } from "@syncline/client/electric";
import {
  accountsCollection, configure, contactsCollection, contactsMeta, useAccounts, useContacts, useCreateAccount, useCreateContact, useDeleteContact,
  useUpdateAccount,
} from "./generated-memory/index.js";
import { render } from "./render.js";
import { serve, until } from "./served.js";
import { Service } from "./service.js";

/** What the page's requests pass through: each test sets its own. */
let way: (address: string, init: RequestInit | undefined) => Promise<Response> = fetch;
const through = ((address, init) => way(String(address), init)) as typeof fetch;

test("a page without a database shows, sends and refuses as one with a database", async (context) => {
  const server = await serve(context);
  configure({ apiUrl: server.url, fetch: through, timeoutMs: 2_000 });
  const tables = new Set<string | null>();
  way = (address, init) => {
    tables.add(new URL(address).searchParams.get("table"));
    return fetch(address, init);
  };
  const page = await render(() => ({
    contacts: useContacts(), accounts: useAccounts(), makeContact: useCreateContact(), makeAccount: useCreateAccount(), update: useUpdateAccount(),
    remove: useDeleteContact(),
  }));
  await until("all is read", async () => contactsCollection().isReady() && accountsCollection().isReady());
  // As it is written in Postgres: else capitals and signs would be others.
  assert.deepEqual([...tables].sort(), [`"accounts"`, `"contacts"`]);

  // What never travels has nothing here to be kept in.
  assert.ok(!contactsMeta.fields.some(({ excluded }) => excluded));
  // @ts-expect-error
  const wrong: Parameters<typeof page.current.makeContact.mutate>[0] = { first_name: "Ann", local_notes: "mine" };
  assert.ok(wrong);

  // Held back, so that what is shown before the server's answer can be seen.
  let release = (): void => undefined;
  const sent: string[] = [];
  way = async (address, init) => {
    if (init?.method === "POST") {
      sent.push(String(init.body));
      await new Promise<void>((resume) => { release = resume; });
    }
    return fetch(address, init);
  };
  const made = page.current.makeContact.mutateAsync({ first_name: "Ann" });
  await until("it is shown at once, whole", async () => page.current.contacts.data[0]?.email === null && sent.length === 1);
  assert.deepEqual(Object.keys(JSON.parse(sent[0]!) as object).sort(), ["first_name", "id"]);
  release();
  const ann = await made;

  const failsAs = (code: string, write: Promise<unknown>): Promise<void> =>
    assert.rejects(write, (error) => error instanceof WriteFailure && error.code === code);
  await failsAs("exists", page.current.makeContact.mutateAsync({ id: ann, first_name: "Ann" }));
  await failsAs("not_found", page.current.update.mutateAsync({ key: crypto.randomUUID(), changes: { name: "Nobody's" } }));
  await failsAs("not_found", page.current.remove.mutateAsync(crypto.randomUUID()));

  const id = crypto.randomUUID();
  const confirmed = accountsCollection().insert({ id, name: "Savings", balance: null, closed: false });
  await until("it is sent", async () => sent.length === 2);
  assert.ok(!accountsCollection().has(id), "a confirmed write shows before the server has it");
  release();
  await confirmed.isPersisted.promise;
  await until("the account is shown", async () => page.current.accounts.data[0]?.name === "Savings");

  // Somebody else is faster.
  way = async (address, init) => {
    if (init?.method === "PATCH") {
      await fetch(`${server.url}/api/accounts/${id}`, { method: "PATCH", body: JSON.stringify({ name: "Theirs" }) });
    }
    return fetch(address, init);
  };
  await assert.rejects(page.current.update.mutateAsync({ key: id, changes: { name: "Mine" } }),
    (error) => error instanceof WriteFailure && error.code === "conflict");

  // A form that was opened before theirs came does not write over it, but where its writer asks for that.
  const opened = page.current.accounts.data[0]!;
  way = fetch;
  await fetch(`${server.url}/api/accounts/${id}`, { method: "PATCH", body: JSON.stringify({ name: "Theirs again" }) });
  await until("theirs is shown", async () => page.current.accounts.data[0]?.name === "Theirs again");
  await assert.rejects(page.current.update.mutateAsync({ key: id, changes: { name: "Mine" }, base: opened }),
    (error) => error instanceof WriteFailure && error.code === "conflict");
  await page.current.update.mutateAsync({ key: id, changes: { name: "Mine" } });
  await until("mine is shown", async () => page.current.accounts.data[0]?.name === "Mine");

  // The server has it, but its row never comes.
  way = (address, init) => address.includes("/v1/shape") ? new Promise(() => undefined) : fetch(address, init);
  configure({ apiUrl: server.url, fetch: through, timeoutMs: 3_000 });
  await until("the feed stands still", async () => {
    const key = await page.current.makeAccount.mutateAsync({ name: "Current" });
    return !accountsCollection().has(key);
  });
  page.unmount();
});

test("a form's write of a page without a database stands on what the form has shown", async () => {
  const service = new Service(contactsMeta, [{ id: "a", first_name: "160", email: "x", status: "new" }], "forms");
  const told: unknown[][] = [];
  const receipt = async (...of: unknown[]): Promise<{ txid: undefined }> => {
    told.push(of);
    return { txid: undefined };
  };
  for (const [verb, writes] of [
    ["changed", { update: (_: Row, changes: Partial<Row>, __: string, base: Partial<Row> | undefined) => receipt(changes, base) }],
    ["replaced", { replace: (row: Row, _: string, base: Partial<Row> | undefined) => receipt(row["email"], base) }],
  ] as const) {
    const collection = memoryCollection<Row, string>(contactsMeta, () => ({ apiUrl: "http://service", fetch: service.fetch }), writes);
    await collection.preload();
    await collection.update("a", (draft) => void (draft["first_name"] = "200")).isPersisted.promise;
    const change = (draft: Row): void => void Object.assign(draft, { email: "mine", status: "old" });
    await collection.update("a", { metadata: { base: { id: "a", email: null } } }, change).isPersisted.promise;
    const isChange = verb === "changed";
    assert.deepEqual(told.splice(0), [
      [isChange ? { first_name: "200" } : "x", { first_name: "160" }],
      [isChange ? { email: "mine", status: "old" } : "mine", { email: null, status: "new" }],
    ]);
    await collection.cleanup();
  }
});

test("a write of a page without a database fails where the server kept another's value, as nothing else keeps one's own", async () => {
  const service = new Service(contactsMeta, [{ id: "a", first_name: "Ann" }], "lost");
  const _lost = { first_name: { base: "Ann", mine: "Anna", theirs: "Annie" } };
  const collection = memoryCollection<Row, string>(contactsMeta, () => ({ apiUrl: "http://service", fetch: service.fetch }), {
    update: async (_, changes) => ({ txid: undefined, ...("email" in changes ? {} : { _lost }) }),
  });
  await collection.preload();
  await collection.update("a", (draft) => void (draft["email"] = "x")).isPersisted.promise;
  const written = collection.update("a", (draft) => void (draft["first_name"] = "Anna")).isPersisted.promise;
  await assert.rejects(written, (error: WriteFailure) => error instanceof WriteFailure && error.code === "lost" && error.error.conflicts === _lost);
  await collection.cleanup();
});

test("writes of one row reach the server one after the other, and what was built on one that failed does not", async () => {
  const service = new Service(contactsMeta, [{ id: "a", first_name: "Ann" }, { id: "b", first_name: "Bob" }], "order");
  const sent: unknown[] = [];
  let answer = (_: Error | undefined): void => undefined;
  const collection = memoryCollection<Row, string>(contactsMeta, () => ({ apiUrl: "http://service", fetch: service.fetch }), {
    update: async (_, { first_name: name }) => {
      sent.push(name);
      const isHeld = name === "one" || name === "three";
      const failure = isHeld ? await new Promise<Error | undefined>((resolve) => (answer = resolve)) : undefined;
      if (failure) throw failure;
      return { txid: undefined };
    },
  });
  await collection.preload();
  const write = (key: string, name: string): Promise<unknown> => {
    const { promise } = collection.update(key, (draft) => void (draft["first_name"] = name)).isPersisted;
    return promise.catch((error: WriteFailure) => error.code);
  };
  const first = [write("a", "one"), write("a", "two"), write("b", "other")];
  await until("all that can be is sent", async () => sent.length === 2);
  answer(undefined);
  await Promise.all(first);
  assert.deepEqual(sent.splice(0), ["one", "other", "two"]);
  const second = [write("a", "three"), write("a", "four")];
  await until("it is sent", async () => sent.length === 1);
  answer(new HttpFailure(422, { code: "no" }));
  assert.equal(await second[0], "no");
  await second[1];
  await write("a", "five");
  assert.deepEqual(sent, ["three", "five"]);
  await collection.cleanup();
});

test("a write for which nobody listens has not left, but where a try before it may have", async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  const service = new Service(contactsMeta, [], "nobody");
  let lost = 0;
  const write = (async (address: string, init?: RequestInit) => {
    if (lost === 0) return fetch(address, init);
    lost -= 1;
    throw new TypeError("fetch failed", { cause: Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }) });
  }) as typeof fetch;
  const collection = memoryCollection<Row, string>(contactsMeta, () => ({ apiUrl: "http://service", fetch: service.fetch }), {
    create: async (values, writeId) => {
      await request({ apiUrl: `http://127.0.0.1:${port}`, fetch: write, retries: 1 }, "POST", "/api/contacts", values, { "idempotency-key": writeId });
      return { txid: undefined };
    },
  });
  await collection.preload();
  const made = (id: string): Promise<unknown> => collection.insert({ id }).isPersisted.promise;
  const endsAs = (code: string) => (error: unknown): boolean => error instanceof WriteFailure && error.code === code;
  await assert.rejects(made("a"), endsAs("offline"));
  lost = 1;
  await assert.rejects(made("b"), endsAs("timed_out"));
  await collection.cleanup();
});

test("a page without a database asks again as soon as the browser is connected, and before that by itself", async (context) => {
  const page = new EventTarget();
  Object.assign(globalThis, { addEventListener: page.addEventListener.bind(page), removeEventListener: page.removeEventListener.bind(page) });
  context.after(() => {
    for (const name of ["addEventListener", "removeEventListener"]) Reflect.deleteProperty(globalThis, name);
  });
  const service = new Service(contactsMeta, [{ id: "a", first_name: "Ann" }], "reconnected");
  let isOffline = false;
  let refused = 0;
  let leave = (): void => undefined;
  const fetch = (async (url: string, init?: RequestInit) => {
    if (isOffline) {
      refused += 1;
      throw new TypeError("fetch failed");
    }
    leave = () => init?.signal?.dispatchEvent(new Event("abort"));
    return service.fetch(url, init);
  }) as typeof globalThis.fetch;
  const collection = memoryCollection<Row, string>(contactsMeta, () => ({ apiUrl: "http://service", fetch }), {});
  await collection.preload();
  await until("it waits for news", async () => service.asked.at(-1)?.searchParams.get("live") === "true");
  // No time passes from here on but what the test lets pass.
  const { setTimeout: wait } = globalThis;
  const soon = (): Promise<void> => new Promise((resume) => void wait(resume, 5));
  const comes = async (is: () => boolean): Promise<void> => {
    while (!is()) await soon();
  };
  // Newer than the types.
  (context.mock.timers.enable as unknown as (options: object) => void)({ apis: ["setTimeout"] });
  isOffline = true;
  leave();
  while (refused < 2) {
    context.mock.timers.tick(30_000);
    await soon();
  }
  service.tell(service.told("update", { id: "a", first_name: "Anna" }));
  isOffline = false;
  page.dispatchEvent(new Event("online"));
  await comes(() => collection.get("a")?.["first_name"] === "Anna");
  context.mock.timers.reset();
  await collection.cleanup();
});
