/** What fails here or on the way is told for what it is, and only what fails waits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalDatabase } from "../src/database.js";
import { runFeed, type FeedState } from "../src/feed.js";
import { pendingChanges } from "../src/changes.js";
import { backoffMs, HttpFailure, RETRY_AFTER_MAX_MS } from "../src/http.js";
import { readRow } from "../src/rows.js";
import { runSender, synclineTransport, type SenderState } from "../src/sender.js";
import { sqliteDatabase } from "../src/sqlite.js";
import { startSync } from "../src/sync.js";
import { openDatabase, schemaOf, sqliteDriver } from "./databases.js";
import { accepted, contact, drive, isSent, type Sent } from "./driven.js";
import { accountsMeta, contactsMeta } from "./generated/meta.js";
import { until, type Context } from "./served.js";
import { Service } from "./service.js";

const ann = { id: "a", first_name: "Ann" };

test("what SQLite says of a transaction that it has ended by itself is what is told", async () => {
  const driver = sqliteDriver();
  let isFull = true;
  const database = sqliteDatabase({
    ...driver,
    exec: (sql) => {
      if (sql !== "COMMIT" || !isFull) return driver.exec(sql);
      void driver.exec("ROLLBACK");
      throw new Error("database or disk is full");
    },
  });
  const write = () => database.transaction((inside) => inside.exec("CREATE TABLE some (one)"));
  await assert.rejects(write(), /disk is full/);
  isFull = false;
  await write();
});

/** A database in which what writes fails as long as `failing` gives a failure. */
function over(database: LocalDatabase, failing: (sql: string) => unknown): LocalDatabase {
  const guarded = (sql: string): void => {
    const failure = failing(sql);
    if (failure !== undefined) throw failure;
  };
  return {
    ...database,
    transaction: (work) => database.transaction((inside) => work({
      query: async (sql, parameters) => {
        guarded(sql);
        return inside.query(sql, parameters) as never;
      },
      exec: (sql) => inside.exec(sql),
    })),
  };
}

function feeding(context: Context, database: LocalDatabase, service: Service): FeedState[] {
  const states: FeedState[] = [];
  const controller = new AbortController();
  const running = runFeed(database, contactsMeta, { shapeUrl: "http://service/v1/shape", fetch: service.fetch }, controller.signal, (state) => states.push(state));
  context.after(async () => {
    controller.abort();
    await running;
  });
  return states;
}

const codeOf = (state: FeedState | SenderState | undefined): string | undefined => (state?.error instanceof HttpFailure ? state.error.code : undefined);
const isRow = (sql: string): boolean => sql.includes(`INTO "contacts_synced"`);

for (const [what, failure, status, code, next] of [
  ["has no room left", new Error("database or disk is full"), "waiting", "storage_full", /Free some room/],
  ["is over a browser's quota", new DOMException("The quota has been exceeded.", "QuotaExceededError"), "waiting", "storage_full", /Free some room/],
  ["is another version's", new Error("no such column: nick"), "refused", "local_schema", /reload the page/],
  ["can't hold the value", Object.assign(new Error("wrong"), { code: "22P02" }), "refused", "value_invalid", /`syncline generate` with the server.s \/api\/schema/],
  ["fails in a way that nobody knows", new Error("something else"), "waiting", "not_kept", /tried again/],
] as const) {
  test(`that the local database ${what} is told, and the rows come once it is otherwise`, async (context) => {
    const database = await openDatabase("sqlite");
    // Not before: a file has a random name.
    context.mock.method(Math, "random", () => 0);
    let isFailing = true;
    const states = feeding(context, over(database, (sql) => (isFailing && isRow(sql) ? failure : undefined)), new Service(contactsMeta, [ann], what));
    await until("it is told", async () => states.at(-1)?.error !== undefined);
    assert.deepEqual([states.at(-1)?.status, codeOf(states.at(-1))], [status, code]);
    assert.match(states.at(-1)!.error!.message, next);
    isFailing = false;
    await until("it is read", async () => states.at(-1)?.status === "live");
    assert.equal((await readRow(database, "sqlite", contactsMeta, "a"))?.["first_name"], "Ann");
  });
}

test("a browser that is connected again while rows can't be kept does not end the sync", async (context) => {
  const page = new EventTarget();
  Object.assign(globalThis, { addEventListener: page.addEventListener.bind(page), removeEventListener: page.removeEventListener.bind(page) });
  context.after(() => {
    for (const name of ["addEventListener", "removeEventListener"]) Reflect.deleteProperty(globalThis, name);
  });
  const database = await openDatabase("sqlite");
  context.mock.method(Math, "random", () => 0);
  let failures = 0;
  const states = feeding(context, over(database, (sql) => {
    if (!isRow(sql) || failures === 3) return undefined;
    failures += 1;
    page.dispatchEvent(new Event("online"));
    return new TypeError("score is float, and not \"high\"");
  }), new Service(contactsMeta, [ann], "online"));
  await until("it is read", async () => states.at(-1)?.status === "live");
  assert.deepEqual([...new Set(states.map(codeOf))], [undefined, "value_invalid"]);
});

test("a feed ends where there is no database any more", async () => {
  const gone = new Error("the database is closed");
  const database = { ...await openDatabase("sqlite"), query: () => Promise.reject(gone), transaction: () => Promise.reject(gone) };
  const service = new Service(contactsMeta, [ann], "closed");
  const options = { shapeUrl: "http://service/v1/shape", fetch: service.fetch };
  await assert.rejects(runFeed(database, contactsMeta, options, new AbortController().signal, () => undefined), gone);
});

test("writes wait where the local database has no room to note what became of them, and are not lost", async (context) => {
  const database = await openDatabase("sqlite");
  context.mock.method(Math, "random", () => 0);
  await contact(database, "a");
  let failures = 3;
  const full = over(database, (sql) => (sql.includes(`'acknowledged'`) && (failures -= 1) >= 0 ? new Error("database or disk is full") : undefined));
  const states: SenderState[] = [];
  let asked = 0;
  await drive(full, (sent) => {
    asked += 1;
    return accepted(sent);
  }, isSent(database), states);
  assert.equal(asked, 4);
  assert.deepEqual([...new Set(states.map(codeOf))], [undefined, "storage_full"]);
});

test("entities beside one that can't be kept are read and sent on", async (context) => {
  const [contacts, accounts] = [new Service(contactsMeta, [ann], "failing"), new Service(accountsMeta, [{ id: "x", name: "X" }], "reading")];
  const nothing = new Service(contactsMeta, [], "nothing");
  const fetch = (async (url: string, init?: RequestInit) => {
    const table = new URL(url).searchParams.get("table");
    return (table === `"contacts"` ? contacts : table === `"accounts"` ? accounts : nothing).fetch(url, init);
  }) as typeof globalThis.fetch;
  const database = over(await openDatabase("sqlite"), (sql) => (isRow(sql) ? new Error("database or disk is full") : undefined));
  const sync = startSync({ apiUrl: "http://service", database, schema: schemaOf("sqlite"), fetch });
  context.after(() => sync.stop());
  await until("both are told", async () => codeOf(sync.state().feeds["contacts"]) === "storage_full" && sync.state().feeds["accounts"]?.status === "live");
  assert.equal((await readRow(database, "sqlite", accountsMeta, "x"))?.["name"], "X");
  assert.equal(sync.state().fault, undefined);
});

test("between tries a page that is looked at waits five seconds at most, and others thirty, at random", (context) => {
  const random = context.mock.method(Math, "random", () => 1);
  context.after(() => void Reflect.deleteProperty(globalThis, "document"));
  const longest = (document?: { hidden: boolean }): number => {
    Object.assign(globalThis, { document });
    return backoffMs(20);
  };
  assert.deepEqual([longest({ hidden: false }), longest({ hidden: true }), longest()], [5_000, 30_000, 30_000]);
  assert.equal(backoffMs(20, 60_000), 60_000, "what a server asks for is waited");
  random.mock.mockImplementation(() => 0.5);
  assert.equal(longest({ hidden: false }), 2_500);
});

test("a write whose answer the local database can't note holds up no others, is told, and is tried again by itself", async (context) => {
  const database = await openDatabase("sqlite");
  context.mock.method(Math, "random", () => 0);
  for (const id of ["a", "b", "c", "d"]) await contact(database, id);
  const [, { id: failing } = { id: 0 }] = await pendingChanges(database);
  let isFailing = true;
  const broken = over(database, (sql) => (isFailing && sql.includes(`'acknowledged'`) && sql.includes(`(${failing}, `) ? new Error("value out of range") : undefined));
  const states: SenderState[] = [];
  const names = new Map<string, string>();
  await drive(broken, (sent) => {
    for (const { write_id, writes } of sent) {
      assert.equal(names.get(writes[0]!.id) ?? write_id, write_id);
      names.set(writes[0]!.id, write_id);
    }
    return accepted(sent);
  }, async () => {
    if (codeOf(states.at(-1)) === "value_invalid" && isFailing) {
      assert.deepEqual((await pendingChanges(database)).map(({ key }) => key), ["b"]);
      // What is written meanwhile goes on, too.
      await contact(database, "e");
      isFailing = false;
    }
    return !isFailing && await isSent(database)();
  }, states);
  assert.deepEqual([...names.keys()], ["a", "b", "c", "d", "e"]);
  assert.deepEqual([...new Set(states.map(({ status }) => status))].sort(), ["idle", "sending", "waiting"]);
});

test("a sender ends where there is no database any more", async () => {
  const gone = new Error("the database is closed");
  const database = { ...await openDatabase("sqlite"), query: () => Promise.reject(gone), transaction: () => Promise.reject(gone) };
  const running = runSender(database, synclineTransport({ apiUrl: "http://server" }), new AbortController().signal, () => undefined);
  await assert.rejects(running, gone);
});

for (const [what, token] of [
  ["at once", () => {
    throw new Error("sign in again");
  }],
  ["after a while", () => Promise.reject(new Error("sign in again"))],
] as const) {
  test(`a token that can't be had ${what} is told as that, and what waits for it has not left`, async (context) => {
    const database = await openDatabase("sqlite");
    context.mock.method(Math, "random", () => 0);
    await contact(database, "a");
    const controller = new AbortController();
    const states: SenderState[] = [];
    let isGiven = false;
    const fetch = (async (_: string, init: RequestInit) =>
      accepted((JSON.parse(init.body as string) as { transactions: Sent[] }).transactions)) as unknown as typeof globalThis.fetch;
    const options = { apiUrl: "http://server", fetch, token: () => (isGiven ? "token" : token()) };
    const running = runSender(database, synclineTransport(options), controller.signal, (state) => {
      states.push(state);
      if (state.status === "waiting") void pendingChanges(database).then(([change]) => {
        assert.equal(change?.attempts, 0);
        isGiven = true;
      });
    });
    await until("it is sent", isSent(database));
    controller.abort();
    await running;
    const told = states.find(({ status }) => status === "waiting");
    assert.deepEqual([codeOf(told), told?.error?.message], ["not_sent", "nothing was sent: the token could not be had: sign in again"]);
  });
}

test("a feed waits as long as a server says, but for five minutes at most", async (context) => {
  context.mock.method(Math, "random", () => 0);
  const waits: number[] = [];
  const timer = globalThis.setTimeout;
  context.mock.method(globalThis, "setTimeout", ((run: () => void, ms: number) => {
    if (ms > 1_000) waits.push(ms);
    return timer(run, Math.min(ms, 5));
  }) as typeof setTimeout);
  const database = await openDatabase("sqlite");
  const service = new Service(contactsMeta, [ann], "busy");
  const replies = ["7", "86400"].map((after) => new Response("busy", { status: 503, headers: { "retry-after": after } }));
  const answer = service.fetch;
  const states = feeding(context, database, Object.assign(service, { fetch: (async (url, init) => replies.shift() ?? answer(String(url), init)) as typeof fetch }));
  await until("it is read", async () => states.at(-1)?.status === "live");
  assert.deepEqual(waits.slice(0, 2), [7_000, RETRY_AFTER_MAX_MS]);
  assert.deepEqual(states.filter(({ status }) => status === "waiting").length, 2);
});
