/** The feed of rows, against a service whose every answer the tests decide. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pendingChanges } from "../src/changes.js";
import { runFeed } from "../src/feed.js";
import { readRow, readRows } from "../src/rows.js";
import { insertRow, updateRow } from "../src/writes.js";
import { DIALECTS, openDatabase } from "./databases.js";
import { contactsMeta } from "./generated/meta.js";
import { until } from "./served.js";

type Value = Record<string, string | null>;
const insert = (value: Value) => ({ key: `"contacts"/"${value["id"]}"`, value, headers: { operation: "insert" } });
const control = (kind: string, seq: number) => ({ headers: { control: kind, global_last_seen_lsn: String(seq) } });

const answer = (handle: string, offset: string, messages: unknown[], status = 200): Response =>
  new Response(JSON.stringify(messages), {
    status,
    headers: {
      "content-type": "application/json", "electric-handle": handle, "electric-offset": offset, "electric-up-to-date": "",
      "electric-schema": JSON.stringify(Object.fromEntries(contactsMeta.fields.map(({ name }) => [name, { type: "text" }]))),
    },
  });

for (const dialect of DIALECTS) {
  test(`rows that must be fetched again take the place of the old ones, and no write of one's own (${dialect})`, async (context) => {
    const database = await openDatabase(dialect);
    const asked: URL[] = [];
    let isReset = false;
    const service = (async (url, init) => {
      const to = new URL(String(url));
      asked.push(to);
      const [handle, offset] = [to.searchParams.get("handle"), to.searchParams.get("offset")];
      if (isReset && handle === `old ${dialect}`) return answer(`new ${dialect}`, "-1", [control("must-refetch", 0)], 409);
      if (offset === "-1") {
        const rows = isReset ? [insert({ id: "b", first_name: "Bea" })] : [insert({ id: "a", first_name: "Ann" }), insert({ id: "b", first_name: "Bob" })];
        return answer(isReset ? `new ${dialect}` : `old ${dialect}`, "0_0", [...rows, control("up-to-date", isReset ? 9 : 5)]);
      }
      // Nothing new, until the reader goes or the service is reset.
      return new Promise<Response>((resolve, fail) => {
        const wait = setInterval(() => {
          if (isReset && handle === `old ${dialect}`) resolve(answer(`new ${dialect}`, "-1", [control("must-refetch", 0)], 409));
          else return;
          clearInterval(wait);
        }, 5);
        init?.signal?.addEventListener("abort", () => {
          clearInterval(wait);
          fail(init.signal?.reason as Error);
        });
      });
    }) as typeof fetch;
    const controller = new AbortController();
    const running = runFeed(database, contactsMeta, { shapeUrl: "http://service/v1/shape", fetch: service }, controller.signal, () => undefined);
    context.after(async () => {
      controller.abort();
      await running;
    });
    const names = async (): Promise<unknown[]> => (await readRows(database, dialect, contactsMeta)).map((row) => row["first_name"]).sort();
    await until("the rows are here", async () => (await names()).join() === "Ann,Bob");
    await updateRow(database, dialect, contactsMeta, "b", { email: "b@example.org" });
    await insertRow(database, dialect, contactsMeta, { id: "c", first_name: "Cy" });
    isReset = true;
    await until("the new rows are here", async () => (await names()).join() === "Bea,Cy");
    assert.equal((await readRow(database, dialect, contactsMeta, "b"))?.["email"], "b@example.org");
    assert.equal((await pendingChanges(database)).length, 2);
    const [noted] = await database.query(`SELECT "handle", "offset", "seq" FROM "_shapes" WHERE "entity" = 'contacts'`);
    assert.deepEqual([noted?.["handle"], noted?.["offset"], Number(noted?.["seq"])], [`new ${dialect}`, "0_0", 9]);
    assert.ok(asked.every((url) => !url.searchParams.get("columns")?.includes("local_notes")));
  });

  test(`a feed goes on where it was, after the page was closed (${dialect})`, async () => {
    const database = await openDatabase(dialect);
    await database.query(`UPDATE "_shapes" SET "handle" = 'known', "offset" = '7_2', "seq" = 7 WHERE "entity" = 'contacts'`);
    const controller = new AbortController();
    const first = new Promise<URL>((resolve) => {
      const service = (async (url, init) => {
        resolve(new URL(String(url)));
        return new Promise((_, fail) => init?.signal?.addEventListener("abort", () => fail(init.signal?.reason as Error)));
      }) as typeof fetch;
      void runFeed(database, contactsMeta, { shapeUrl: "http://service/v1/shape", fetch: service }, controller.signal, () => undefined);
    });
    const { searchParams } = await first;
    assert.deepEqual([searchParams.get("handle"), searchParams.get("offset")], ["known", "7_2"]);
    controller.abort();
  });
}
