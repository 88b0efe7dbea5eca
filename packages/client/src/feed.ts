import { FetchError, isChangeMessage, isControlMessage, ShapeStream, type Message, type Offset, type Row as ShapeRow } from "@electric-sql/client";
import { quote, ways, type LocalDatabase, type Statements, type Ways } from "./database.js";
import { asRfc3339, valueOf, type EntityMeta, type FieldMeta } from "./entity.js";
import { diagnosed, keepingFailure } from "./failures.js";
import { askingOn, backoffMs, pause, type HttpOptions } from "./http.js";

const ROWS_PER_STATEMENT = 1_000;
/** How many of the server's transactions are kept for writes whose answer is still on its way. */
const TXIDS_MAX = 1_000;
/**
 * How long an accepted write is shown where neither its transaction nor its values come back: the server may have
 * stored other values, or somebody else wrote after it. By then a reader that is up to date has what there is.
 */
const SHOWN_AFTER_ACCEPTANCE_MS = 30_000;

/** Where an entity's rows come from. */
export interface FeedOptions extends Pick<HttpOptions, "token" | "fetch" | "onAuthError"> {
  /** The whole address of the shape endpoint. */
  readonly shapeUrl: string;
  /** Whether the server's shapes have a column `_role`, the user's role on each row. */
  readonly withRoles?: boolean;
}

export interface FeedState {
  /**
   * `refused`: the server has no such table or column, or a value that its column here can't hold, or the local database is another
   * version's; `unauthorized`: it does not take the user's token, or its role. It is asked again, but a person must act.
   */
  readonly status: "loading" | "live" | "waiting" | "refused" | "unauthorized";
  readonly error?: Error;
}

const isTrue = (text: string): boolean => text === "true" || text === "t";

/** What the elements of arrays are, of which Electric's client makes lists; of other types they are texts. */
const ELEMENTS: Readonly<Record<string, (text: string) => string | number | boolean>> = {
  int2: Number, int4: Number, int8: Number, float4: Number, float8: Number,
  bool: isTrue, json: JSON.parse, jsonb: JSON.parse, timestamptz: String,
};

/** Values stay as the server wrote them: the database reads them by its own columns' types. */
const AS_WRITTEN = Object.fromEntries(Object.entries(ELEMENTS).map(([type, element]) =>
  [type, (text: string, of?: object) => ((of as { dims?: number } | undefined)?.dims ? element(text) : text)]));

/** A cell's text, or the list that it is. */
type Cells = Record<string, unknown>;

/**
 * The feed serves every tab that shows the database, and the one that runs it may be none of those that are looked at:
 * it must not rest while its own is hidden.
 */
const ALWAYS_VISIBLE = { getCurrentState: () => "visible" as const, subscribe: () => () => undefined };

/** Keeps the synced rows of an entity as the server has them, until `signal` ends it. */
export async function runFeed(
  database: LocalDatabase, meta: EntityMeta, options: FeedOptions, signal: AbortSignal, tell: (state: FeedState) => void,
): Promise<void> {
  tell({ status: "loading" });
  let round = new AbortController();
  // The stream itself would rest for half a minute, and then wait for news before it says a word.
  const beginAnew = (): void => round.abort();
  globalThis.addEventListener?.("online", beginAnew);
  try {
    // A stream ends by itself at an answer that is not of shapes, as a network's sign-in page, and after many refusals.
    for (let failures = 1; !signal.aborted; failures += 1) {
      round = new AbortController();
      const either = AbortSignal.any([signal, round.signal]);
      await follow(database, meta, options, either, (state) => {
        if (state.status === "live") failures = 0;
        tell(state);
      }).catch(async (cause: unknown) => {
        // It is this entity alone that waits.
        const error = await keepingFailure(database, meta.name, cause);
        tell({ status: error.code === "value_invalid" || error.code === "local_schema" ? "refused" : "waiting", error });
      });
      await pause(backoffMs(failures), either);
      if (round.signal.aborted) failures = 0;
    }
  } finally {
    globalThis.removeEventListener?.("online", beginAnew);
  }
}

/** Reads from where the rows were noted to be, until `signal` ends it or the stream ends by itself. */
async function follow(
  database: LocalDatabase, meta: EntityMeta, options: FeedOptions, signal: AbortSignal, tell: (state: FeedState) => void,
): Promise<void> {
  const [noted] = await database.query<{ handle: string | null; offset: string | null }>(
    `SELECT "handle", "offset" FROM "_shapes" WHERE "entity" = $1`, [meta.name],
  );
  // Accepted writes that a fetch of all rows, begun after them, brings, if the server has them still.
  let isRefetching = noted?.handle == null;
  let brought: readonly number[] = isRefetching ? await acceptedOf(database, meta, "1 = 1") : [];
  if (signal.aborted) return;
  let handle = noted?.handle;
  const ending = new AbortController();
  signal.addEventListener("abort", () => ending.abort(), { once: true, signal: ending.signal });
  const shared = meta.fields.filter((field) => !field.excluded);
  const stream = new ShapeStream<ShapeRow>({
    url: options.shapeUrl,
    params: {
      table: quote(meta.name),
      columns: [...shared.map(({ name }) => name), ...(options.withRoles ? ["_role"] : [])],
      ...(meta.subset === undefined ? {} : { where: meta.subset }),
    },
    ...(noted?.handle && noted.offset ? { handle: noted.handle, offset: noted.offset as Offset } : {}),
    headers: {
      authorization: async () => {
        const token = await options.token?.();
        return token === undefined ? "" : `Bearer ${token}`;
      },
    },
    fetchClient: askingOn(options.fetch ?? fetch, (error) => tell({ status: "waiting", error })),
    signal: ending.signal,
    runtimeVisibility: ALWAYS_VISIBLE,
    parser: AS_WRITTEN,
    onError: async (error) => {
      const status = error instanceof FetchError ? error.status : 0;
      const isOfUser = status === 401 || status === 403;
      if (isOfUser) options.onAuthError?.(status);
      // What a server says that does not know what is asked for.
      if (status === 400 || status === 404) tell({ status: "refused", error: await diagnosed<Error>(error, ({ ofRefusal }) => ofRefusal(meta, error as FetchError)) });
      else tell({ status: isOfUser ? "unauthorized" : "waiting", error });
      return {};
    },
  });

  // All accepted writes of that kind, with the time since when they are known.
  let accepted = new Map<number, number>();
  let buffered: Message<ShapeRow>[] = [];
  let turn: Promise<void> = Promise.resolve();
  let fault: { readonly error: unknown } | undefined;
  const end = (error: unknown): void => {
    fault = { error };
    ending.abort();
  };
  return new Promise((resolve, reject) => {
    ending.signal.addEventListener("abort", () => void turn.then(() => (fault ? reject(fault.error as Error) : resolve())), { once: true });
    stream.subscribe(
      (messages) => {
        turn = turn.then(async () => {
          // The stream goes on with an answer that it has begun to read, though the database may be closed by then.
          if (ending.signal.aborted) return;
          for (const message of messages) {
            if (isControlMessage(message) && message.headers.control === "must-refetch") {
              isRefetching = true;
              buffered = [];
              brought = await acceptedOf(database, meta, "1 = 1");
            } else {
              buffered.push(message);
            }
          }
          const end = messages.at(-1);
          if (!end || !isControlMessage(end) || end.headers.control !== "up-to-date") return;
          const seq = Number((end.headers as { global_last_seen_lsn?: string }).global_last_seen_lsn ?? 0);
          const batch = buffered;
          buffered = [];
          const isWhole = isRefetching;
          isRefetching = false;
          const reached = { handle: stream.shapeHandle ?? null, offset: stream.lastOffset, seq };
          const open = await database.transaction(async (inside) => {
            const [now] = await inside.query<{ handle: string | null }>(`SELECT "handle" FROM "_shapes" WHERE "entity" = $1`, [meta.name]);
            // Another version of this page has let the rows go: what comes here goes on after them.
            if (now && now.handle !== handle) return undefined;
            if (isWhole) await offerAgain(inside, brought);
            await apply(inside, ways[database.dialect], meta, batch, isWhole, reached);
            return letGo(inside, meta, accepted, isWhole ? brought : []);
          });
          if (!open) return ending.abort();
          accepted = open;
          handle = reached.handle;
          tell({ status: "live" });
        }).catch(end);
        // It never rejects: the stream would throw that where nobody hears it.
        return turn;
      },
      () => ending.abort(),
    );
  });
}

/** The accepted writes of an entity: those that no place in a log tells about, or others. */
const acceptedOf = async (on: Statements, meta: EntityMeta, which = `"seq" IS NULL`): Promise<number[]> =>
  (await on.query<{ id: number }>(`SELECT "id" FROM "_changes" WHERE "entity" = $1 AND "state" = 'acknowledged' AND ${which}`, [meta.name]))
    .map(({ id }) => Number(id));

/**
 * Has accepted writes that have a place in a log sent again under their names, with what was written together with them. The log may be
 * another than theirs by now, put back to an older copy, and have grown past their places without them. A server that has them says so.
 */
async function offerAgain(inside: Statements, ids: readonly number[]): Promise<void> {
  const these = `"id" IN (${ids.join(", ")})`;
  if (ids.length > 0) await inside.query(
    `UPDATE "_changes" SET "state" = 'pending', "seq" = NULL, "txid" = NULL, "error" = NULL WHERE "state" = 'acknowledged' AND "seq" > 0 AND (${these} OR "transaction_id" IN (SELECT "transaction_id" FROM "_changes" WHERE ${these}))`,
  );
}

/** Lets accepted writes go that have been shown long enough, and those that a fetch of all rows has `brought`. Gives the others. */
async function letGo(
  inside: Statements, meta: EntityMeta, known: ReadonlyMap<number, number>, brought: readonly number[],
): Promise<Map<number, number>> {
  const now = Date.now();
  const open = (await acceptedOf(inside, meta)).map((id): [number, number] => [id, known.get(id) ?? now]);
  const isPast = ([id, since]: [number, number]): boolean => now - since >= SHOWN_AFTER_ACCEPTANCE_MS || brought.includes(id);
  const past = open.filter(isPast).map(([id]) => id);
  if (past.length > 0) await inside.query(`DELETE FROM "_changes" WHERE "id" IN (${past.join(", ")})`);
  return new Map(open.filter((one) => !isPast(one)));
}

async function apply(
  inside: Statements, way: Ways, meta: EntityMeta, messages: readonly Message<ShapeRow>[], isWhole: boolean,
  reached: { handle: string | null; offset: string; seq: number },
): Promise<void> {
  const synced = quote(`${meta.name}_synced`);
  const key = quote(meta.key);
  const columns = syncedColumns(meta);
  let inserts: Cells[] = [];
  const flush = async (): Promise<void> => {
    for (let at = 0; at < inserts.length; at += ROWS_PER_STATEMENT) {
      await insertMany(inside, way, synced, key, columns, inserts.slice(at, at + ROWS_PER_STATEMENT));
    }
    inserts = [];
  };
  const txids = new Set<number>();
  const keyField = columns[0]!;
  // Rows that are fetched again take the place of those that are here: only what is gone is deleted.
  const fetched = new Set<unknown>();
  for (const message of messages) {
    if (!isChangeMessage(message)) continue;
    const cells = message.value as Cells;
    for (const txid of (message.headers["txids"] as number[] | undefined) ?? []) txids.add(txid);
    if (message.headers.operation === "insert") {
      inserts.push(cells);
      fetched.add(cellValue(way, keyField, cells[meta.key]));
      continue;
    }
    await flush();
    const isKey = `${key} = ${way.parameter(keyField.kind, 1)}`;
    const keyValue = cellValue(way, keyField, cells[meta.key]);
    if (message.headers.operation === "delete") {
      await inside.query(`DELETE FROM ${synced} WHERE ${isKey}`, [keyValue]);
      fetched.delete(keyValue);
      continue;
    }
    const given = columns.filter(({ name }) => name !== meta.key && Object.hasOwn(cells, name));
    if (given.length === 0) continue;
    await inside.query(
      `UPDATE ${synced} SET ${given.map((field, at) => `${quote(field.name)} = ${way.parameter(field.kind, at + 2)}`).join(", ")} WHERE ${isKey}`,
      [keyValue, ...given.map((field) => cellValue(way, field, valueOf(cells, field.name)))],
    );
  }
  await flush();
  if (isWhole) {
    await inside.query(`DELETE FROM ${synced} WHERE ${key} NOT IN (${way.listed(keyField.kind)})`, [JSON.stringify([...fetched])]);
  }
  if (txids.size > 0) await noteTransactions(inside, meta, [...txids]);
  await inside.query(
    `UPDATE "_shapes" SET "handle" = $1, "offset" = $2, "seq" = $3, "read_at" = $4 WHERE "entity" = $5`,
    [reached.handle, reached.offset, reached.seq, new Date().toISOString(), meta.name],
  );
}

/** Lets the writes go whose transactions have come, with those of their rows before them. An answer may come later than its rows. */
async function noteTransactions(inside: Statements, meta: EntityMeta, txids: readonly number[]): Promise<void> {
  const isOpen = `"state" = 'acknowledged' AND "seq" IS NULL AND "entity" = $1`;
  await inside.query(
    `DELETE FROM "_changes" WHERE ${isOpen} AND "id" <= (SELECT max("id") FROM "_changes" AS "seen" WHERE ${isOpen} AND "txid" IN (${txids.join(", ")}) AND "seen"."key" = "_changes"."key")`,
    [meta.name],
  );
  await inside.query(
    // No compound of selects: SQLite takes five hundred at most, and Postgres nests them.
    `INSERT INTO "_txids" ("entity", "txid") SELECT "entity", "column1" FROM (SELECT DISTINCT "entity" FROM "_changes" WHERE "entity" = $1 AND "state" = 'sending') AS "sending", (VALUES ${txids.map((txid) => `(${txid})`).join(", ")}) AS "told"`,
    [meta.name],
  );
  await inside.query(`DELETE FROM "_txids" WHERE "id" <= (SELECT max("id") FROM "_txids") - $1`, [TXIDS_MAX]);
}

/** The key first. */
function syncedColumns(meta: EntityMeta): Pick<FieldMeta, "name" | "kind">[] {
  const shared = meta.fields.filter((field) => !field.excluded);
  const key = shared.filter(({ name }) => name === meta.key);
  return [...key, ...shared.filter(({ name }) => name !== meta.key), { name: "_role", kind: "text" as const }];
}

/** Reads all rows out of one JSON parameter: an array of arrays in the order of the columns. */
async function insertMany(
  inside: Statements, way: Ways, synced: string, key: string,
  columns: readonly Pick<FieldMeta, "name" | "kind">[], rows: readonly Cells[],
): Promise<void> {
  const list = rows.map((cells) => columns.map((field) => cellValue(way, field, valueOf(cells, field.name))));
  const names = columns.map(({ name }) => quote(name));
  const cells = columns.map(({ kind }, at) => way.inRow(kind, at));
  await inside.query(
    `INSERT INTO ${synced} (${names.join(", ")}) SELECT ${cells.join(", ")} FROM ${way.rows} ON CONFLICT (${key}) DO UPDATE SET ${names.slice(1).map((name) => `${name} = excluded.${name}`).join(", ")}`,
    [JSON.stringify(list)],
  );
}

/** A cell's value for a statement, from what the shape has. */
function cellValue(way: Ways, field: Pick<FieldMeta, "name" | "kind">, cell: unknown): unknown {
  if (cell === null || cell === undefined) return null;
  const text = typeof cell === "string" ? cell : JSON.stringify(cell);
  return field.kind === "timestamp" ? asRfc3339(text) : field.kind === "uuid" ? text.toLowerCase() : way.cell(field, text);
}
