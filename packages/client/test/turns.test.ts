/** Many entities over few connections. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalDatabase } from "../src/database.js";
import { startSync } from "../src/sync.js";
import { contactsMeta } from "./generated/meta.js";
import { until } from "./served.js";

for (const [address, most] of [["http://server", 5], ["https://server", 8]] as const) {
  test(`the polls of eight entities hold at most ${most} connections to ${address}, and each has its turn`, async () => {
    const nothing = { dialect: "sqlite", query: async () => [], exec: async () => undefined, onTouched: () => () => undefined };
    const database = { ...nothing, transaction: (work: (inside: LocalDatabase) => unknown) => work(database) } as unknown as LocalDatabase;
    const entities = Array.from({ length: 8 }, (_, at) => ({ meta: { ...contactsMeta, name: `entity ${at}` }, sql: "" }));
    const polled = new Map<string, number>();
    let [open, highest, cursor] = [0, 0, 0];
    const fetch = (async (url: string, init: RequestInit) => {
      const { searchParams } = new URL(url);
      if (searchParams.get("live") === "true") {
        const table = searchParams.get("table")!;
        polled.set(table, (polled.get(table) ?? 0) + 1);
        highest = Math.max(highest, (open += 1));
        await new Promise<void>((_, fail) => init.signal!.addEventListener("abort", () => fail(init.signal!.reason as Error))).finally(() => (open -= 1));
      }
      return new Response(JSON.stringify([{ headers: { control: "up-to-date", global_last_seen_lsn: "1" } }]), {
        headers: { "electric-handle": "h", "electric-offset": "0_0", "electric-schema": "{}", "electric-up-to-date": "", "electric-cursor": String((cursor += 1)) },
      });
    }) as typeof globalThis.fetch;
    const sync = startSync({ apiUrl: address, database, schema: { version: "1", changes: "", entities }, fetch });
    const rounds = most < 8 ? 2 : 1;
    await until("each was polled", async () => polled.size === 8 && Math.max(...polled.values()) >= rounds);
    assert.equal(highest, most);
    assert.ok(Object.values(sync.state().feeds).every(({ status }) => status === "live"));
    await sync.stop();
  });
}
