/** Confirmed writes without an answer: those of a page that was closed, and those whose answer was lost. */
import assert from "node:assert/strict";
import { pendingChanges, readChanges, rejectedChanges, retryWrite } from "../src/changes.js";
import type { LocalDatabase } from "../src/database.js";
import { runSender, synclineTransport, type SenderState } from "../src/sender.js";
import { deleteRow, endOverdue, insertRow, lastWriteOf, settled, updateRow } from "../src/writes.js";
import { accepted, contact, drive, each, isSent, type Sent } from "./driven.js";
import { accountsMeta, transactionsMeta } from "./generated/meta.js";
import { until } from "./served.js";

const account = (database: LocalDatabase, id: string): Promise<void> => insertRow(database, database.dialect, accountsMeta, { id, name: id });
const codes = async (database: LocalDatabase): Promise<unknown[]> => (await rejectedChanges(database)).map(({ key, error }) => [key, error?.code]);

each("a confirmed write that nobody waits for any longer is not sent, and can be offered again", async (database) => {
  for (const id of ["unsent", "sent", "new"]) await account(database, id);
  await contact(database, "optimistic");
  await database.query(`UPDATE "_changes" SET "created_at" = '2020-01-01T00:00:00.000Z' WHERE "key" <> 'new'`);
  await database.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = 1 WHERE "key" = 'sent'`);
  const sent: string[] = [];
  const take = (transactions: Sent[]): Response => {
    sent.push(...transactions.map(({ writes }) => writes[0]!.id));
    return accepted(transactions);
  };
  await drive(database, take, isSent(database));
  assert.deepEqual(sent, ["new", "optimistic"]);
  assert.deepEqual(await codes(database), [["unsent", "offline"], ["sent", "timed_out"]]);
  await retryWrite(database, (await rejectedChanges(database))[0]!.writeId);
  await drive(database, take, isSent(database));
  assert.deepEqual(sent, ["new", "optimistic", "unsent"]);
});

for (const [what, answer, state, code] of [
  ["has it", (write_id: string) => Response.json({ write_id, status: "accepted", seq: 1, txid: 1, rows: [], lost: [{}] }), "acknowledged", undefined],
  ["has refused it", (write_id: string) => Response.json({ write_id, status: "rejected", error: { code: "forbidden", message: "no" } }), "rejected", "forbidden"],
  ["does not know it", () => Response.json({ error: { code: "not_found", message: "no such write" } }, { status: 404 }), "rejected", "offline"],
] as const) {
  each(`a write whose answer was lost is asked for, and the server ${what}`, async (database) => {
    await account(database, "a");
    const writeId = (await lastWriteOf(database, accountsMeta, "a"))!;
    await database.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = 1`);
    await assert.rejects(settled(database, writeId, 10));
    const asked: string[] = [];
    const fetch = (async (url: string, init: RequestInit) => {
      asked.push(`${init.method} ${new URL(url).pathname}`);
      if (asked.length === 1) throw new TypeError("fetch failed");
      return answer(writeId);
    }) as typeof globalThis.fetch;
    const controller = new AbortController();
    const running = runSender(database, synclineTransport({ apiUrl: "http://server", fetch }), controller.signal, () => undefined);
    const read = async (): Promise<unknown[]> => (await readChanges(database, "1 = 1")).map((change) => [change.state, change.error?.code]);
    await until("it has its answer", async () => asked.length === 2 && JSON.stringify(await read()) !== '[["rejected","timed_out"]]');
    assert.deepEqual(await read(), [[state, code]]);
    assert.deepEqual(asked, Array.from({ length: 2 }, () => `GET /api/writes/${writeId}`));
    controller.abort();
    await running;
  });
}

each("a write that may be at the server is offered again, and ends unanswered under its own name", async (database) => {
  await account(database, "a");
  const writeId = (await lastWriteOf(database, accountsMeta, "a"))!;
  await database.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = 1`);
  await assert.rejects(settled(database, writeId, 10));
  for (const end of [
    async () => {
      await database.query(`UPDATE "_changes" SET "created_at" = '2020-01-01T00:00:00.000Z'`);
      await endOverdue(database);
    },
    () => assert.rejects(settled(database, writeId, 10)),
  ]) {
    await retryWrite(database, writeId);
    assert.deepEqual((await readChanges(database, "1 = 1")).map((change) => [change.writeId, change.state]), [[writeId, "pending"]]);
    await end();
    assert.deepEqual(await codes(database), [["a", "timed_out"]]);
  }
});

each("a write that may be at the server takes no later one in", async (database) => {
  await account(database, "a");
  const writeId = (await lastWriteOf(database, accountsMeta, "a"))!;
  await database.query(`UPDATE "_changes" SET "state" = 'sending', "attempts" = 1`);
  await assert.rejects(settled(database, writeId, 10));
  await retryWrite(database, writeId);
  // The feed brings what the server has of it.
  await database.query(`INSERT INTO "accounts_synced" ("id", "name") VALUES ('a', 'a')`);
  await updateRow(database, database.dialect, accountsMeta, "a", { name: "second" });
  assert.deepEqual((await readChanges(database, "1 = 1")).map((change) => [change.operation, change.value]), [
    ["insert", { name: "a" }], ["update", { name: "second" }],
  ]);
  await deleteRow(database, accountsMeta, "a");
  assert.deepEqual((await readChanges(database, "1 = 1")).map((change) => [change.operation, change.base["name"]]), [
    ["insert", undefined], ["update", "a"], ["delete", "second"],
  ]);
});

/** Sends an account and a contact; meanwhile somebody makes a row that names both, and the account is waited for in vain. Gives what was sent. */
async function sentMeanwhile(database: LocalDatabase, answer: (sent: Sent[]) => Response): Promise<string[][]> {
  await account(database, "acc");
  await contact(database, "bob");
  const writeId = (await lastWriteOf(database, accountsMeta, "acc"))!;
  const sent: string[][] = [];
  const states: SenderState[] = [];
  await drive(database, async (transactions) => {
    sent.push(transactions.map(({ writes }) => writes[0]!.id));
    if (sent.length > 1) return accepted(transactions);
    await insertRow(database, database.dialect, transactionsMeta, { id: "t", account_id: "acc", contact_id: "bob", amount: "1" });
    await assert.rejects(settled(database, writeId, 10));
    assert.deepEqual(await codes(database), [["acc", "timed_out"], ["t", "dependency_rejected"]]);
    return answer(transactions);
  }, async () => states.at(-1)?.status === "idle", states);
  return sent;
}

each("what builds on a write that was given up is sent once that was accepted after all", async (database) => {
  assert.deepEqual(await sentMeanwhile(database, accepted), [["acc", "bob"], ["t"]]);
  assert.deepEqual(await codes(database), []);
});

each("what builds on a refused write, too, stays behind that, and goes with it", async (database) => {
  const answer = ([acc, bob]: Sent[]): Response => Response.json({ results: [
    { write_id: acc!.write_id, status: "accepted", seq: 1, txid: 1 },
    { write_id: bob!.write_id, status: "rejected", error: { code: "forbidden", message: "no" } },
  ] });
  assert.deepEqual(await sentMeanwhile(database, answer), [["acc", "bob"]]);
  assert.deepEqual(await codes(database), [["bob", "forbidden"], ["t", "dependency_rejected"]]);
  await retryWrite(database, (await rejectedChanges(database))[1]!.writeId);
  assert.deepEqual((await pendingChanges(database)).map(({ key }) => key), ["bob", "t"]);
});
