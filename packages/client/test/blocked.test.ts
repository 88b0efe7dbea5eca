/** A database of a browser that is to be removed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deleteDatabase } from "./generated/index.js";

test("a database that something outside of the line has open is not waited for without an end", async (context) => {
  const asked: { onblocked?: () => void } = {};
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const request = (_: string, __: object, work: () => Promise<void>): Promise<void> => work();
  Object.defineProperty(globalThis, "navigator", { value: { locks: { request } }, configurable: true });
  Object.assign(globalThis, { indexedDB: { deleteDatabase: () => asked } });
  context.after(() => {
    Reflect.deleteProperty(globalThis, "indexedDB");
    if (before) Object.defineProperty(globalThis, "navigator", before);
    else Reflect.deleteProperty(globalThis, "navigator");
  });
  // Newer than the types.
  (context.mock.timers.enable as unknown as (options: object) => void)({ apis: ["setTimeout"] });
  const removed = assert.rejects(deleteDatabase({ indexedDb: "book" }), { code: "open_elsewhere" });
  while (!asked.onblocked) await new Promise((resume) => setImmediate(resume));
  asked.onblocked();
  context.mock.timers.tick(30_000);
  await removed;
});
