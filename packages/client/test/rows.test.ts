/** Who follows rows, and the queue: sees all of them however a read goes, and the last state last. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalDatabase, Statements } from "../src/database.js";
import { usePendingWrites, useRejectedWrites } from "../src/react.js";
import { followRows, type RowChanges } from "../src/rows.js";
import { openDatabase } from "./databases.js";
import { contact } from "./driven.js";
import { contactsMeta } from "./generated/meta.js";
import { render } from "./render.js";
import { until } from "./served.js";

/** The keys that a follower has been shown, read by read, and how often it was told of a failure. */
function follow(database: LocalDatabase): { shown: string[][]; failures: unknown[]; stop: () => void } {
  const shown: string[][] = [];
  const failures: unknown[] = [];
  const see = ({ rows }: RowChanges): void => void shown.push([...rows.keys()]);
  return { shown, failures, stop: followRows(database, contactsMeta, see, (error) => failures.push(error)) };
}

test("a read that is run again shows what the first would have shown", async () => {
  const database = await openDatabase("sqlite");
  const again: LocalDatabase = {
    ...database,
    transaction: async <T>(work: (inside: Statements) => Promise<T>): Promise<T> => {
      await database.transaction(work);
      return database.transaction(work);
    },
  };
  const { shown, stop } = follow(again);
  await until("the first read is shown", async () => shown.length === 1);
  await contact(database, "a");
  await until("the change is shown", async () => shown.length === 2);
  assert.deepEqual(shown, [[], ["a"]]);
  stop();
});

test("a read that fails midway is made good by the next", async () => {
  const database = await openDatabase("sqlite");
  let isBroken = false;
  const { shown, failures, stop } = follow({
    ...database,
    transaction: (work) => database.transaction(async (inside) => {
      const result = await work(inside);
      if (isBroken) throw new Error("the database has gone");
      return result;
    }),
  });
  await until("the first read is shown", async () => shown.length === 1);
  isBroken = true;
  await contact(database, "a");
  await until("it fails", async () => failures.length > 0);
  isBroken = false;
  await contact(database, "b");
  await until("both are shown", async () => shown.length === 2);
  assert.deepEqual(shown[1], ["a", "b"]);
  stop();
});

test("all components that show the queue share one read of it, and the last read wins", async () => {
  const database = await openDatabase("sqlite");
  let [reads, underWay, most] = [0, 0, 0];
  let go = (): void => undefined;
  const written = new Promise<void>((resolve) => (go = resolve));
  const counted: LocalDatabase = {
    ...database,
    query: async (sql, parameters) => {
      reads += 1;
      most = Math.max(most, (underWay += 1));
      const rows = await database.query(sql, parameters);
      // The first read comes last, if another is under way.
      if (reads === 1) await written;
      underWay -= 1;
      return rows as never;
    },
  };
  const page = await render(() => [usePendingWrites(counted), usePendingWrites(counted), useRejectedWrites(counted)] as const);
  await until("it is read", async () => reads > 0);
  // What is not known is not told as nothing.
  const told = () => [page.current[0]?.length, page.current[1]?.length, page.current[2].writes.length, page.current[2].isLoading];
  assert.deepEqual(told(), [undefined, undefined, 0, true]);
  await contact(database, "a");
  go();
  await until("it is shown", async () => page.current[0]?.length === 1);
  assert.deepEqual([told(), most], [[1, 1, 0, false], 1]);
  page.unmount();
});

test("a queue that nobody has followed for a while is not shown as it was", async () => {
  const database = await openDatabase("sqlite");
  const first = await render(() => usePendingWrites(database));
  await until("it is read", async () => first.current?.length === 0);
  first.unmount();
  await contact(database, "a");
  const seen: (number | undefined)[] = [];
  const again = await render(() => {
    const pending = usePendingWrites(database);
    seen.push(pending?.length);
    return pending;
  });
  await until("it is shown", async () => again.current?.length === 1);
  assert.deepEqual([...new Set(seen)], [undefined, 1]);
  again.unmount();
});

test("a queue that can't be read is shown as it was", async (context) => {
  const rejections: unknown[] = [];
  const note = (reason: unknown): void => void rejections.push(reason);
  process.on("unhandledRejection", note);
  context.after(() => void process.off("unhandledRejection", note));
  const database = await openDatabase("sqlite");
  let isClosed = false;
  const closing: LocalDatabase = { ...database, query: (sql, parameters) => (isClosed ? Promise.reject(new Error("closed")) : database.query(sql, parameters)) };
  const page = await render(() => usePendingWrites(closing));
  await contact(database, "a");
  await until("it is shown", async () => page.current?.length === 1);
  isClosed = true;
  await contact(database, "b");
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resume) => setImmediate(resume));
  assert.deepEqual([page.current?.length, rejections.length], [1, 0]);
  page.unmount();
});
