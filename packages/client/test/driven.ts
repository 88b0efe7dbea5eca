/** A queue and its sender, against a server of which a test decides every answer. */
import { test } from "node:test";
import { pendingChanges } from "../src/changes.js";
import type { Dialect, LocalDatabase } from "../src/database.js";
import { runSender, synclineTransport, type SenderState } from "../src/sender.js";
import { insertRow } from "../src/writes.js";
import { DIALECTS, openDatabase } from "./databases.js";
import { contactsMeta } from "./generated/meta.js";

export interface SentWrite { entity: string; id: string; action: string; values: Record<string, unknown>; base: Record<string, unknown> }
export interface Sent { write_id: string; after?: string[]; writes: SentWrite[] }
export type Reply = Response | "lost" | "unreachable";

/** Runs the sender until the queue is as `until` wants it; `answer` is asked for each request. */
export async function drive(
  database: LocalDatabase, answer: (sent: Sent[], raw: string) => Reply | Promise<Reply>,
  until: () => Promise<boolean>, states: SenderState[] = [],
): Promise<void> {
  const controller = new AbortController();
  const fetch = (async (_url: string | URL | Request, init?: RequestInit) => {
    const raw = init?.body as string;
    const reply = await answer((JSON.parse(raw) as { transactions: Sent[] }).transactions, raw);
    if (reply === "lost" || reply === "unreachable") throw new TypeError("fetch failed");
    return reply;
  }) as typeof globalThis.fetch;
  const running = runSender(database, synclineTransport({ apiUrl: "http://server", fetch }), controller.signal, (state) => states.push(state));
  while (!(await until())) await new Promise((resume) => setTimeout(resume, 5));
  controller.abort();
  await running;
}

/** The place in its log that the server has given last. */
export const server = { seq: 0 };
export const accepted = (sent: Sent[]): Response =>
  Response.json({ results: sent.map(({ write_id }) => ({ write_id, status: "accepted", seq: (server.seq += 1), txid: server.seq, rows: [] })) });
export const refusing = (code: string) => (sent: Sent[]): Response =>
  Response.json({ results: sent.map(({ write_id }) => ({ write_id, status: "rejected", error: { code, message: "no" } })) });
export const isSent = (database: LocalDatabase) => async () => (await pendingChanges(database)).length === 0;

export function each(name: string, run: (database: LocalDatabase, dialect: Dialect) => Promise<void>): void {
  for (const dialect of DIALECTS) test(`${name} (${dialect})`, async () => run(await openDatabase(dialect), dialect));
}

export const contact = (database: LocalDatabase, id: string, values = {}) =>
  insertRow(database, database.dialect, contactsMeta, { id, first_name: id, ...values });
