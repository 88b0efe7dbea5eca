/** Parts of a page that are loaded when it comes to them, and are gone: a server may have another version of the page by then. */
import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";
import { pendingChanges, rejectedChanges, retryWrite } from "../src/changes.js";
import { HttpFailure } from "../src/http.js";
import { startSync } from "../src/sync.js";
import { openDatabase, schemaOf } from "./databases.js";
import { contact, isSent } from "./driven.js";
import { until } from "./served.js";

const { port1: told, port2: port } = new MessageChannel();
told.unref();
register(`data:text/javascript,${encodeURIComponent(`
  const gone = new Set(["rest", "retry"]);
  export const initialize = ({ port }) => port.on("message", (name) => void gone.delete(name)).unref();
  export const resolve = (specifier, context, next) => {
    const name = /[/](\\w+)[.]js$/.exec(specifier)?.[1];
    if (gone.has(name)) throw new Error("404: " + name);
    return next(specifier, context);
  };
`)}`, { parentURL: import.meta.url, data: { port }, transferList: [port] });

test("writes wait for the part that sends them while that is gone, are told of it, and have not left", async (context) => {
  context.mock.method(Math, "random", () => 0);
  const database = await openDatabase("sqlite");
  const fetch = (async (url: string, init?: RequestInit) => (String(url).includes("/v1/shape")
    ? new Promise((_, fail) => init?.signal?.addEventListener("abort", () => fail(init.signal?.reason as Error)))
    : Response.json({}))) as typeof globalThis.fetch;
  const writes = (): { method: string; path: string } => ({ method: "POST", path: "/contacts" });
  const sync = startSync({ apiUrl: "http://backend", database, schema: schemaOf("sqlite"), fetch, writes });
  context.after(() => sync.stop());
  await contact(database, "a");
  await until("it is told", async () => sync.state().sender.status === "waiting");
  const { error } = sync.state().sender;
  assert.ok(error instanceof HttpFailure && error.code === "not_sent", String(error));
  assert.match(error.message, /could not be loaded, which reloading the page may mend/);
  await until("it has not left", async () => (await pendingChanges(database))[0]?.attempts === 0);
  told.postMessage("rest");
  await until("it is sent", isSent(database));
  assert.equal(sync.state().fault, undefined);
});

test("a refused write stays as it is while the part that offers it again is gone", async () => {
  const database = await openDatabase("sqlite");
  await contact(database, "a");
  const [{ writeId } = { writeId: "" }] = await pendingChanges(database);
  await database.query(`INSERT INTO "_reject" ("write_id", "error") VALUES ($1, '{"code":"x","message":"y"}')`, [writeId]);
  await assert.rejects(retryWrite(database, writeId), { code: "not_sent" });
  assert.deepEqual((await rejectedChanges(database)).map(({ error }) => error?.code), ["x"]);
  told.postMessage("retry");
  await until("it is there again", () => retryWrite(database, writeId).then(() => true, () => false));
  assert.equal((await pendingChanges(database)).length, 1);
});
