/** Many entities over few connections. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalDatabase } from "../src/database.js";
import { memoryCollection } from "../src/electric.js";
import "../src/sqlite.js";
import { startSync } from "../src/sync.js";
import { takingTurns } from "../src/turns.js";
import { contactsMeta } from "./generated/meta.js";
import { until, type Context } from "./served.js";

let cursor = 0;
const upToDate = (): Response => new Response(JSON.stringify([{ headers: { control: "up-to-date", global_last_seen_lsn: "1" } }]), {
  headers: { "electric-handle": "h", "electric-offset": "0_0", "electric-schema": "{}", "electric-up-to-date": "", "electric-cursor": String((cursor += 1)) },
});

/** A server whose polls stay open, and how often each shape was polled. */
function counting() {
  const polled = new Map<string, number>();
  const polls = { polled, highest: 0, fetch: globalThis.fetch };
  let open = 0;
  polls.fetch = (async (url: string, init: RequestInit) => {
    const { searchParams } = new URL(url);
    if (searchParams.get("live") === "true") {
      const table = searchParams.get("table")!;
      polled.set(table, (polled.get(table) ?? 0) + 1);
      polls.highest = Math.max(polls.highest, (open += 1));
      await new Promise<void>((_, fail) => init.signal!.addEventListener("abort", () => fail(init.signal!.reason as Error))).finally(() => (open -= 1));
    }
    return upToDate();
  }) as typeof globalThis.fetch;
  return polls;
}

/** A browser that has told of a request to the server how it was made. */
function telling(context: Context, protocol: string): void {
  const entry = { name: "https://server/v1/shape?offset=-1", nextHopProtocol: protocol };
  class Observer {
    static readonly supportedEntryTypes = ["resource"];
    disconnect(): void {}
    constructor(private readonly see: (list: { getEntries: () => unknown[] }) => void) {}
    observe(): void {
      this.see({ getEntries: () => [entry, { name: "https://elsewhere/v1/shape", nextHopProtocol: protocol === "h2" ? "http/1.1" : "h2" }] });
    }
  }
  const own = globalThis.PerformanceObserver;
  Object.assign(globalThis, { PerformanceObserver: Observer });
  context.after(async () => void Object.assign(globalThis, { PerformanceObserver: own }));
}

/** Lets time pass, and no longer than it takes for `is` to be so. */
async function passing(context: { mock: { timers: unknown } }, is: () => boolean): Promise<void> {
  // Newer than the types.
  const timers = context.mock.timers as { enable: (options: object) => void; tick: (ms: number) => void; reset: () => void };
  timers.enable({ apis: ["setTimeout"] });
  while (!is()) {
    timers.tick(100);
    await new Promise((resume) => setImmediate(resume));
  }
  timers.reset();
}

for (const [address, protocol, most] of [
  ["http://server", "", 5], ["https://server", "", 5], ["https://server", "http/1.1", 5], ["https://server", "h2", 8], ["https://server", "h3", 8],
] as const) {
  test(`the polls of eight entities hold at most ${most} connections to ${address} over ${protocol || "what nobody tells"}, and each has its turn`, async (context) => {
    telling(context, protocol);
    const nothing = { dialect: "sqlite", query: async () => [], exec: async () => undefined, onTouched: () => () => undefined };
    const database = { ...nothing, transaction: (work: (inside: LocalDatabase) => unknown) => work(database) } as unknown as LocalDatabase;
    const entities = Array.from({ length: 8 }, (_, at) => ({ meta: { ...contactsMeta, name: `entity ${at}` }, sql: "" }));
    const polls = counting();
    const sync = startSync({ apiUrl: address, database, schema: { version: "1", changes: "", entities }, fetch: polls.fetch });
    const rounds = most < 8 ? 2 : 1;
    await passing(context, () => polls.polled.size === 8 && Math.max(...polls.polled.values()) >= rounds);
    assert.equal(polls.highest, most);
    assert.ok(Object.values(sync.state().feeds).every(({ status }) => status === "live"));
    await sync.stop();
  });
}

test("where answers take longer than a turn, what is new comes all the same", async (context) => {
  const ask = ((url: string, { signal }: RequestInit) => new Promise<Response>((resolve, fail) => {
    const answer = upToDate();
    // Who does not wait for news is told no cursor.
    if (!url.includes("live")) answer.headers.delete("electric-cursor");
    const timer = setTimeout(() => resolve(answer), 1_200);
    signal!.addEventListener("abort", () => {
      clearTimeout(timer);
      fail(signal!.reason as Error);
    });
  })) as unknown as typeof globalThis.fetch;
  const { fetch } = takingTurns(ask, () => false);
  const end = new AbortController();
  const answered = new Set<string>();
  const reading = async (table: string): Promise<void> => {
    while (!end.signal.aborted) {
      const answer = await fetch(`http://server/v1/shape?live=true&cursor=7&table=${table}`, { signal: end.signal }).catch(() => undefined);
      if (answer?.status !== 200) continue;
      assert.ok(answer.headers.get("electric-cursor"), "its reader asks on from there");
      assert.match(await answer.text(), /up-to-date/);
      answered.add(table);
    }
  };
  let ticks = 0;
  const all = passing(context, () => (ticks += 1) > 300 || answered.size === 8);
  const reads = Array.from({ length: 8 }, (_, at) => reading(`t${at}`));
  await all;
  end.abort();
  await Promise.all(reads);
  assert.equal(answered.size, 8);
});

test("the shape of what was written is asked for before those whose turn it is", async () => {
  const polls = counting();
  const turns = takingTurns(polls.fetch, () => false);
  const end = new AbortController();
  const opened: string[] = [];
  const poll = (table: string): Promise<unknown> =>
    turns.fetch(`http://server/v1/shape?live=true&table=${table}`, { signal: end.signal }).then(({ status }) => opened.push(`${table} ${status}`), () => undefined);
  const all = Array.from({ length: 8 }, (_, at) => poll(`t${at}`));
  await until("five are open", async () => polls.polled.size === 5);
  turns.hurry("t2");
  assert.deepEqual(opened, [], "it is open");
  turns.hurry("t7");
  await until("another is open", async () => polls.polled.size === 6);
  assert.deepEqual([...polls.polled.keys()], ["t0", "t1", "t2", "t3", "t4", "t7"]);
  assert.deepEqual(opened, ["t0 204"], "no second one made place for it");
  end.abort();
  await Promise.all(all);
});

test("collections in memory take turns with each other, and a write finds a connection", async (context) => {
  telling(context, "http/1.1");
  const polls = counting();
  const collections = Array.from({ length: 8 }, (_, at) =>
    memoryCollection({ ...contactsMeta, name: `entity ${at}` }, () => ({ apiUrl: "https://server", fetch: polls.fetch }), {}));
  const loaded = Promise.all(collections.map((collection) => collection.preload()));
  await passing(context, () => polls.polled.size === 8 && Math.max(...polls.polled.values()) >= 2);
  await loaded;
  assert.equal(polls.highest, 5);
  await Promise.all(collections.map((collection) => collection.cleanup()));
});
