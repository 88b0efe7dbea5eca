import {
  createCollection, DeleteKeyNotFoundError, DuplicateKeyError, UpdateKeyNotFoundError, type Collection, type NonSingleResult, type Transaction,
} from "@tanstack/db";
import { electricCollectionOptions } from "@tanstack/electric-db-collection";
import { lostTo, OFFLINE, TIMED_OUT, WriteFailure, type Lost } from "./changes.js";
import { confirmedCollection } from "./collection.js";
import { quote } from "./database.js";
import { asRfc3339, held, valueOf, type EntityMeta, type Row } from "./entity.js";
import { askingOn, HttpFailure, isOffline, isUnsent, type HttpOptions } from "./http.js";
import { keyOf } from "./rows.js";
import { errorOf } from "./sender.js";
import { shapeUrlOf, withRolesOf, type SyncOptions } from "./sync.js";
import { sharesConnection, takingTurns, type Turns } from "./turns.js";

/** How long an accepted write waits for its row, unless told otherwise. */
const ROW_TIMEOUT_MS = 5_000;

/** What the server's answer to a write tells. */
interface Receipt {
  /** The transaction that holds the write, as shapes name it. */
  readonly txid: number | undefined;
  /** The values in whose place the server kept another's. */
  readonly _lost?: Lost;
}

/** How writes of one row reach the server; absent: its document has no such operation. */
export interface RowWrites<T> {
  readonly create?: (values: T, writeId: string) => Promise<Receipt>;
  /** `base` is what the writer saw of the fields that change, undefined where the server would not read it. */
  readonly update?: (row: T, changes: Partial<T>, writeId: string, base: Partial<T> | undefined) => Promise<Receipt>;
  /** Puts a row in place of the one that is there; `base` as above. */
  readonly replace?: (row: T, writeId: string, base: Partial<T> | undefined) => Promise<Receipt>;
  readonly remove?: (row: T, writeId: string) => Promise<Receipt>;
}

/** How a collection in memory reads the cells of shapes, beside what Electric's client does by itself: as records have them in JSON. */
const shapeParser = {
  // Whole numbers of documents go to 2^53, and types of generated clients say `number`.
  int8: (text: string): number => Number(text),
  timestamptz: asRfc3339,
};

/** How shapes are asked for, by what asks and where: all collections of a page take turns with each other. */
const turns = new WeakMap<typeof fetch, Map<string, Turns>>();
function inTurns(ask: typeof fetch, shapeUrl: string): Turns {
  const known = turns.get(ask) ?? new Map<string, Turns>();
  turns.set(ask, known);
  const turned = known.get(shapeUrl) ?? takingTurns(ask, sharesConnection(shapeUrl));
  known.set(shapeUrl, turned);
  return turned;
}

const shown = new WeakMap<object, Date>();

/** When the server last said what it has of a collection in memory; undefined: it has not yet. */
export const shownAt = (collection: object): Date | undefined => shown.get(collection);

/** What TanStack DB tells of one row that is written. */
interface RowMutation<T> {
  readonly mutationId: string;
  readonly original: object;
  readonly modified: T;
  readonly changes: Partial<T>;
  readonly metadata?: unknown;
}

/**
 * A collection of an entity's rows in memory, as the server's shapes have them, with this page's own writes on top
 * where the entity's writes are optimistic: else nothing of them shows before the server has accepted them. An insert
 * whose `metadata` has `given` sends these values, and shows the whole row; an update whose `metadata` has `base` stands
 * on that row, as its writer has seen it, and else on the one that is shown.
 */
export function memoryCollection<T extends Row, Key extends string | number>(
  meta: EntityMeta, config: () => HttpOptions & Pick<SyncOptions, "shapeUrl" | "withRoles">, { create, update, replace, remove }: RowWrites<T>,
): Collection<T, Key> & NonSingleResult {
  const options = config();
  const shapeUrl = shapeUrlOf(options);
  const { fetch: inTurn, hurry } = inTurns(options.fetch ?? fetch, shapeUrl);
  // Nobody else takes its place meanwhile: who waits for a connection has no turn.
  const ask = askingOn(inTurn);
  const table = quote(meta.name);
  /** The last write of each row that has no answer yet. */
  const underWay = new Map<unknown, Promise<Receipt>>();
  /** Sends a write once the one before it of the same row is accepted, which may be slow, or tried again; it fails with that. */
  const inOrder = (key: unknown, write: () => Promise<Receipt>): Promise<Receipt> => {
    const before = underWay.get(key);
    const written = before ? before.then(write) : write();
    underWay.set(key, written);
    const end = (): void => {
      if (underWay.get(key) === written) underWay.delete(key);
    };
    written.then(end, end);
    return written;
  };
  /** Mutations that are made together are sent at once, and end with the server's word and the rows that follow from it. */
  const sent = (write: (mutation: RowMutation<T>) => Promise<Receipt>) =>
    async ({ transaction: { mutations } }: { transaction: { mutations: readonly unknown[] } }): Promise<void> => {
      const receipts = await Promise.all((mutations as readonly RowMutation<T>[]).map((mutation) =>
        answered(mutation.mutationId, inOrder(mutation.modified[meta.key], () => write(mutation)))));
      await Promise.all(receipts.map(({ txid }) => txid !== undefined && arrived(txid)));
      // Nothing else keeps them.
      for (const [at, { _lost }] of receipts.entries()) if (_lost) throw new WriteFailure((mutations[at] as RowMutation<T>).mutationId, lostTo(_lost));
    };
  const seen = ({ original, changes, metadata }: RowMutation<T>): Partial<T> | undefined =>
    withRolesOf(config()) ? seenOf(changes, original as T, (metadata as { base?: Partial<T> } | undefined)?.base) : undefined;
  const change = update
    ? (mutation: RowMutation<T>) => update(mutation.original as T, mutation.changes, mutation.mutationId, seen(mutation))
    : replace && ((mutation: RowMutation<T>) => replace(held(meta, mutation.modified), mutation.mutationId, seen(mutation)));
  const made = createCollection(electricCollectionOptions<T>({
    id: meta.name,
    getKey: (row) => keyOf(meta, row[meta.key]) as Key,
    shapeOptions: {
      url: shapeUrl,
      parser: shapeParser,
      params: {
        table,
        columns: [...meta.fields.filter(({ excluded }) => !excluded).map(({ name }) => name), ...(withRolesOf(options) ? ["_role"] : [])],
        ...(meta.subset === undefined ? {} : { where: meta.subset }),
      },
      headers: {
        authorization: async () => {
          const token = await config().token?.();
          return token === undefined ? "" : `Bearer ${token}`;
        },
      },
      fetchClient: (async (address: string, init?: RequestInit) => {
        const answer = await ask(address, init);
        // An answer without a body is the end of a turn: the server has said nothing.
        if (answer.ok && answer.status !== 204) shown.set(collection, new Date());
        return answer;
      }) as typeof fetch,
    },
    ...(create ? { onInsert: sent(({ modified, metadata, mutationId }) => create((metadata as { given?: T } | undefined)?.given ?? held(meta, modified), mutationId)) } : {}),
    ...(change ? { onUpdate: sent(change) } : {}),
    ...(remove ? { onDelete: sent(({ original, mutationId }) => remove(original as T, mutationId)) } : {}),
  }));
  // Whatever keeps the row away, as a subset that it is not in: the server has accepted the write.
  const arrived = (txid: number): Promise<unknown> => {
    hurry(table);
    return made.utils.awaitTxId(txid, config().timeoutMs ?? ROW_TIMEOUT_MS).catch(() => undefined);
  };
  // Electric's options name any key's type, and this collection's own.
  const collection = made as unknown as Collection<T, Key> & NonSingleResult;
  return meta.mode === "optimistic" ? collection : confirmedCollection(collection);
}

/** Makes a write of a collection in memory, and ends as it does, also where what is shown forbids it: with a {@link WriteFailure}. */
export async function writtenTo({ name }: EntityMeta, write: () => Pick<Transaction, "isPersisted">): Promise<void> {
  try {
    await write().isPersisted.promise;
  } catch (error) {
    if (error instanceof DuplicateKeyError) throw new WriteFailure(undefined, { code: "exists", message: `${name}: a row with this key is there` });
    if (!(error instanceof UpdateKeyNotFoundError || error instanceof DeleteKeyNotFoundError)) throw error;
    throw new WriteFailure(undefined, { code: "not_found", message: `no row of ${name} that is shown here has this key` });
  }
}

/** What a writer saw of the fields that it changes: what it tells of them, and else what is shown. */
const seenOf = <T extends Row>(changes: Partial<T>, shown: T, told: Partial<T> = {}): Partial<T> =>
  Object.fromEntries(Object.keys(changes).map((name) => [name, (valueOf(told, name) === undefined ? valueOf(shown, name) : told[name]) ?? null])) as Partial<T>;

/** Ends a write that a server was asked for as one through a local database ends: it fails with a {@link WriteFailure}. */
async function answered<T>(writeId: string, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    if (error.kind !== "transient" || error.code === "not_sent") throw new WriteFailure(writeId, errorOf(error));
    throw new WriteFailure(writeId, isUnsent(error) || isOffline() ? OFFLINE : TIMED_OUT);
  }
}
