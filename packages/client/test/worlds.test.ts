/**
 * Random histories with the real sender and feed: answers late and lost, refusals with what stands on them, writes offered again and let
 * go, pages that die and are opened again, two tabs, and a database that is brought to another version and back. At the end
 * both sides are the same, no write was done twice or sent with another content, no row that names another has come to the server
 * without that, and the newest edit has won.
 *
 * WORLDS says how many fixed seeds are run beside one from the clock; WORLD runs one alone.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { discardWrite, readChanges, rejectedChanges, retryWrite } from "../src/changes.js";
import type { Dialect, LocalDatabase } from "../src/database.js";
import { runFeed } from "../src/feed.js";
import { openSchema } from "../src/opening.js";
import { pgliteDatabase } from "../src/pglite.js";
import { readRows } from "../src/rows.js";
import { runSender, synclineTransport } from "../src/sender.js";
import { deleteRow, insertRow, updateRow, writeTogether } from "../src/writes.js";
import { DIALECTS, openDatabase, schemaOf } from "./databases.js";
import { generated } from "./documents.js";
import type { Sent } from "./driven.js";
import { freshPglite } from "./fresh-pglite.js";
import { contactsMeta, transactionsMeta } from "./generated/meta.js";
import { DOCUMENT, until } from "./served.js";
import { Service, type Value } from "./service.js";

const STEPS = 60;
const SEEDS = process.env["WORLD"] === undefined
  ? [...Array.from({ length: Number(process.env["WORLDS"] ?? 2) }, (_, seed) => seed), Date.now() % 1_000_000]
  : [Number(process.env["WORLD"])];
/** Only edited, so that the newest edit of it is known; the others are made and deleted too. */
const EDITED = "edited";
const KEYS = ["a", "b", "c"];

function generator(seed: number): (below: number) => number {
  let state = (seed + 1) * 2654435761;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
}

interface Judged { status: string; error?: object; txid?: number }

class Backend {
  readonly rows = new Map<string, Value>([[EDITED, { id: EDITED, first_name: "0", email: null }]]);
  /** Rows that name one of those. */
  readonly orders = new Map<string, Value>();
  readonly service: Service;
  readonly ordered: Service;
  isKind = false;
  /** What must never come, and has. */
  fault: unknown;
  private readonly known = new Map<string, { text: string; result: Judged }>();
  private txid = 0;

  constructor(name: string, private readonly below: (below: number) => number) {
    this.service = new Service(contactsMeta, [...this.rows.values()], name);
    this.ordered = new Service(transactionsMeta, [], `${name} ordered`);
  }

  readonly fetch = (async (address: string, init: RequestInit) => {
    const fate = this.isKind ? 9 : this.below(10);
    if (fate === 0) throw new TypeError("fetch failed");
    const results = init.method === "GET" ? this.known.get(address.split("/").at(-1)!)?.result
      : { results: (JSON.parse(init.body as string) as { transactions: Sent[] }).transactions.map((sent) => this.noted(sent)) };
    if (fate === 1) throw new TypeError("fetch failed");
    if (fate === 2) return new Response("busy", { status: 503 });
    if (fate < 5) await new Promise((resume) => setTimeout(resume, this.below(20)));
    return results ? Response.json(results) : Response.json({ error: { code: "not_found", message: "no such write" } }, { status: 404 });
  }) as unknown as typeof fetch;

  /** To who has asked, a failure here is one of the way. */
  private noted(sent: Sent): object {
    try {
      return this.take(sent);
    } catch (error) {
      this.fault = error;
      throw error;
    }
  }

  private take({ write_id, writes, after }: Sent): object {
    const text = JSON.stringify(writes);
    const before = this.known.get(write_id);
    if (before) assert.equal(text, before.text, "a write that was sent is sent again as it was");
    const isGrounded = after!.every((name) => this.known.get(name)?.result.status === "accepted");
    const result = before?.result ?? { write_id, ...this.judge(writes, isGrounded) };
    this.known.set(write_id, { text, result });
    return result;
  }

  private judge(writes: Sent["writes"], isGrounded: boolean): Judged {
    const rowsOf = (entity: string): Map<string, Value> => (entity === "contacts" ? this.rows : this.orders);
    const isFit = writes.every(({ entity, id, action }) => (action === "create") !== rowsOf(entity).has(id));
    // Orders are refused with the contacts that they name alone.
    const isRefused = !this.isKind && writes[0]!.entity === "contacts" && this.below(5) === 0;
    if (!isFit || !isGrounded || isRefused) {
      return { status: "rejected", error: { code: isRefused ? "forbidden" : isFit ? "depends_on_refused" : "misfit", message: "no" } };
    }
    const txid = (this.txid += 1);
    for (const { entity, id, action, values } of writes) {
      const [rows, service] = [rowsOf(entity), entity === "contacts" ? this.service : this.ordered];
      const { contact_id: named } = values as Value;
      assert.ok(named == null || this.rows.has(named), `${id} names ${named}, which the server does not have`);
      const none = entity === "contacts" ? { id, first_name: null, email: null } : { id, contact_id: null };
      const row = { ...(rows.get(id) ?? none), ...(values as Value) };
      if (action === "delete") rows.delete(id);
      else rows.set(id, row);
      service.tell(service.told(action === "create" ? "insert" : (action as "update" | "delete"), action === "delete" ? { id } : row, txid));
    }
    return { status: "accepted", txid };
  }
}

function syncing(database: LocalDatabase, { service, ordered, fetch }: Backend): () => Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const both = [
    runFeed(database, contactsMeta, { shapeUrl: "http://server/v1/shape", fetch: service.fetch }, signal, () => undefined),
    runFeed(database, transactionsMeta, { shapeUrl: "http://server/v1/shape", fetch: ordered.fetch }, signal, () => undefined),
    runSender(database, synclineTransport({ apiUrl: "http://server", fetch }), signal, () => undefined),
  ];
  return async () => {
    controller.abort();
    await Promise.all(both);
  };
}

/** A database as each of two tabs has it. */
async function tabsOf(dialect: Dialect): Promise<[LocalDatabase, LocalDatabase]> {
  if (dialect === "sqlite") {
    const database = await openDatabase(dialect);
    return [database, database];
  }
  const pglite = await freshPglite();
  const tabs: [LocalDatabase, LocalDatabase] = [pgliteDatabase(pglite), pgliteDatabase(pglite)];
  await openSchema(tabs[0], schemaOf(dialect));
  return tabs;
}

const newer = generated(readFileSync(DOCUMENT, "utf8").replace("        email:", "        nick: { type: string }\n        email:"));
const shown = async (database: LocalDatabase): Promise<unknown[]> =>
  (await readRows(database, database.dialect, contactsMeta)).map(({ id, first_name, email }) => [id, first_name, email]).sort();

async function world(dialect: Dialect, seed: number, seen: Map<string, number>): Promise<void> {
  const below = generator(seed);
  const one = <T>(from: readonly T[]): T => from[below(from.length)]!;
  const tabs = await tabsOf(dialect);
  const [database] = tabs;
  const backend = new Backend(`${dialect} ${seed}`, below);
  const isQuiet = async (): Promise<boolean> => (await readChanges(database, `"state" <> 'rejected'`)).length === 0;
  let stop = syncing(database, backend);
  backend.isKind = true;
  await until("the rows are read", async () => (await shown(database)).length === 1);
  backend.isKind = false;
  let edits = 0;
  let orders = 0;
  const log: string[] = [];
  const note = (what: string): void => {
    seen.set(what, (seen.get(what) ?? 0) + 1);
    log.push(what);
  };

  /** A new row, and another that names it, from the beginning or later. */
  const order = async (tab: LocalDatabase): Promise<void> => {
    const [id, named] = [`order ${orders += 1}`, `named ${orders}`];
    const made = (contact_id: string | null): Promise<void> => insertRow(tab, dialect, transactionsMeta, { id, account_id: "x", amount: "1", contact_id });
    const isLater = below(2) === 0;
    if (isLater) await made(null);
    await insertRow(tab, dialect, contactsMeta, { id: named, first_name: named });
    if (!isLater) return made(named);
    await updateRow(tab, dialect, transactionsMeta, id, { contact_id: named });
  };
  const write = async (): Promise<void> => {
    const tab = one(tabs);
    const there = new Set((await shown(tab)).map((row) => (row as string[])[0]));
    const key = one(KEYS);
    const what = below(8);
    if (what > 5) {
      note("rows that name new ones");
      await order(tab);
    } else if (what < 2 && there.has(EDITED)) {
      note("edits");
      await updateRow(tab, dialect, contactsMeta, EDITED, { email: String(edits += 1), ...(below(2) === 0 ? { first_name: String(edits) } : {}) });
    } else if (!there.has(key)) {
      note("inserts");
      await insertRow(tab, dialect, contactsMeta, { id: key, first_name: key });
    } else if (what === 2) {
      note("deletes");
      await deleteRow(tab, contactsMeta, key);
    } else if (what === 3) {
      note("writes together");
      await writeTogether(tab, async (inside) => {
        for (const other of KEYS.filter((name) => there.has(name))) await updateRow(inside, dialect, contactsMeta, other, { email: String(below(9)) });
      });
    } else {
      note("updates");
      await updateRow(tab, dialect, contactsMeta, key, { first_name: String(below(9)) });
    }
  };
  /** An older edit, once a newer one has gone, would rightly be what its user asks for: it is let go here. */
  const decide = async (isLast: boolean): Promise<void> => {
    const refused = await rejectedChanges(database);
    const change = isLast ? refused[0] : refused[below(refused.length || 1)];
    if (!change) return;
    const isNewest = change.key === EDITED && change.value["email"] === String(edits);
    const isOffered = change.key === EDITED ? isNewest : !isLast && below(2) === 0;
    note(isOffered ? "offered again" : "let go");
    await (isOffered ? retryWrite : discardWrite)(database, change.writeId);
  };

  for (let step = 0; step < STEPS; step += 1) {
    const what = below(12);
    // A row may be gone, or there, by the time that it is written to.
    if (what < 6) await write().catch((error: Error) => assert.match(error.message, /no row of contacts|a row with this key is there/));
    else if (what < 8) await decide(false);
    else if (what < 10) await new Promise((resume) => setTimeout(resume, below(15)));
    else {
      note(what === 10 ? "other tab leads" : "other versions");
      await stop();
      if (what === 11) for (const schema of [newer(dialect), schemaOf(dialect)]) await openSchema(database, schema);
      stop = syncing(one(tabs), backend);
    }
  }
  backend.isKind = true;
  const said = `WORLD=${seed} (${dialect})\n${log.slice(-20).join("\n")}`;
  await until(`all is settled: ${said}`, async () => {
    assert.ifError(backend.fault);
    if (!(await isQuiet())) return false;
    await decide(true);
    return (await isQuiet()) && (await rejectedChanges(database)).length === 0;
  });
  await stop();
  const theirs = [...backend.rows.values()].map((row) => [row["id"], row["first_name"], row["email"]]).sort();
  assert.deepEqual(await shown(database), theirs, said);
  const named = (rows: Iterable<Record<string, unknown>>): unknown[] => [...rows].map(({ id, contact_id }) => [id, contact_id ?? null]).sort();
  assert.deepEqual(named(await readRows(database, dialect, transactionsMeta)), named(backend.orders.values()), said);
  if (edits > 0) assert.equal(backend.rows.get(EDITED)!["email"], String(edits), `the newest edit wins: ${said}`);
  for (const table of ["contacts_local", "transactions_local"]) {
    assert.deepEqual(await database.query(`SELECT * FROM "${table}" WHERE "_write_id" IS NOT NULL`), [], said);
  }
}

for (const dialect of DIALECTS) {
  test(`whatever comes between, a page and its server end up the same (${dialect})`, async (context) => {
    const seen = new Map<string, number>();
    for (const seed of SEEDS) await world(dialect, seed, seen);
    context.diagnostic(`WORLD ${SEEDS.join(" ")}: ${[...seen].sort().map(([what, count]) => `${count} ${what}`).join(", ")}`);
  });
}
