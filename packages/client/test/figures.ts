/**
 * The figures of the client, for `cargo xtask bench`: one line of JSON for each, with its limit. Against a
 * server that is started here; SYNCLINE_BINARY names the program.
 */
import { pendingChanges, rejectedChanges } from "@syncline/client";
import { closeDatabase, configure, database, initDatabase, sync, useContacts, useUpdateContact } from "./generated/index.js";
import { render } from "./render.js";
import { serve, until, type Context } from "./served.js";
import { PAGE_BYTES_MAX, pageBytes } from "./size.js";

const ROWS = 10_000;
const SIZE = Number(process.env["SIZE"] ?? 1);
const tell = (name: string, value: number, limit: number): void => console.log(JSON.stringify({ name, value, limit }));

const median = (values: number[]): number => values.sort((one, other) => one - other)[Math.floor(values.length / 2)]!;

/** From the call of an optimistic write until a component that shows all rows was rendered with it. */
async function rendered(): Promise<void> {
  await initDatabase();
  await database().query(
    `INSERT INTO "contacts_synced" ("id", "first_name", "email", "active") SELECT 'row ' || n, 'Ann ' || n, n || '@example.org', n % 2 = 0 FROM generate_series(1, ${ROWS}) AS n`,
  );
  let look: (data: { first_name: string }[]) => void = () => undefined;
  const page = await render(() => {
    const given = { all: useContacts(), update: useUpdateContact() };
    look(given.all.data);
    return given;
  });
  await until("all rows are shown", async () => page.current.all.data.length === ROWS);
  const places = new Map(page.current.all.data.map(({ id }, at) => [id, at]));
  const times: number[] = [];
  for (let at = 0; at < Math.max(20, 200 * SIZE); at += 1) {
    const key = `row ${1 + ((at * 7919) % ROWS)}`;
    const name = `Bob ${at}`;
    const place = places.get(key)!;
    const begun = performance.now();
    const shown = new Promise<void>((resolve) => {
      look = (data) => {
        if (data[place]?.first_name === name) resolve();
      };
    });
    page.current.update.mutate({ key, changes: { first_name: name } });
    await shown;
    times.push(performance.now() - begun);
  }
  tell("rendered", median(times), 16);
  page.unmount();
  await closeDatabase();
}

/** Writes a second that leave a queue, beside those of requests that are made as fast as the server answers. */
async function drained(context: Context): Promise<void> {
  const writes = Math.max(200, Math.round(5_000 * SIZE));
  const server = await serve(context);
  const ids = (): string[] => Array.from({ length: 500 }, () => crypto.randomUUID());
  const begun = performance.now();
  for (let at = 0; at < writes; at += 500) {
    const transactions = ids().slice(0, writes - at).map((id) => ({
      write_id: crypto.randomUUID(), writes: [{ entity: "contacts", id, action: "create", values: { first_name: "Ann" }, base: {} }],
    }));
    const answer = await fetch(`${server.url}/api/writes`, { method: "POST", body: JSON.stringify({ transactions }) });
    if (!answer.ok) throw new Error(await answer.text());
    await answer.text();
  }
  const own = writes / ((performance.now() - begun) / 1000);
  configure({ apiUrl: server.url });
  await initDatabase();
  await database().query(
    `INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value", "transaction_id") SELECT 'contacts', gen_random_uuid()::text, 'insert', 'optimistic', '{"first_name": "Ann"}', gen_random_uuid()::text FROM generate_series(1, ${writes})`,
  );
  const from = performance.now();
  sync();
  await until("the queue is empty", async () => (await pendingChanges(database())).length === 0);
  const rate = writes / ((performance.now() - from) / 1000);
  if ((await rejectedChanges(database())).length > 0) throw new Error("writes were refused");
  tell("drained", rate, Math.min(500, own));
  await closeDatabase();
}

const ends: (() => Promise<void>)[] = [];
try {
  tell("size", (await pageBytes()) / 1_000, PAGE_BYTES_MAX / 1_000);
  await rendered();
  await drained({ after: (end) => void ends.push(end) });
} finally {
  for (const end of ends) await end();
}
process.exit(0);
