import { createCollection, type Collection, type NonSingleResult } from "@tanstack/db";
import { electricCollectionOptions } from "@tanstack/electric-db-collection";
import { OFFLINE, TIMED_OUT, WriteFailure } from "./changes.js";
import { confirmedCollection } from "./collection.js";
import { quote } from "./database.js";
import { asRfc3339, type EntityMeta, type Row } from "./entity.js";
import { HttpFailure, type HttpOptions } from "./http.js";
import { errorOf } from "./sender.js";
import { shapeUrlOf, withRolesOf, type SyncOptions } from "./sync.js";

/** How long an accepted write waits for its row, unless told otherwise. */
const ROW_TIMEOUT_MS = 5_000;

/** What the server's answer to a write tells. */
interface Receipt {
  /** The transaction that holds the write, as shapes name it. */
  readonly txid: number | undefined;
}

/** How writes of one row reach the server; absent: its document has no such operation. */
export interface RowWrites<T> {
  readonly create?: (values: T, writeId: string) => Promise<Receipt>;
  /** `base` is what was shown of the fields that change, undefined where the server would not read it. */
  readonly update?: (row: T, changes: Partial<T>, writeId: string, base: Partial<T> | undefined) => Promise<Receipt>;
  /** Puts a row in place of the one that is there. */
  readonly replace?: (row: T, writeId: string) => Promise<Receipt>;
  readonly remove?: (row: T, writeId: string) => Promise<Receipt>;
}

/** How a collection in memory reads the cells of shapes, beside what Electric's client does by itself: as records have them in JSON. */
const shapeParser = {
  // Whole numbers of documents go to 2^53, and types of generated clients say `number`.
  int8: (text: string): number => Number(text),
  timestamptz: asRfc3339,
};

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
 * whose `metadata` has `given` sends these values, and shows the whole row.
 */
export function memoryCollection<T extends Row, Key extends string | number>(
  meta: EntityMeta, config: () => HttpOptions & Pick<SyncOptions, "shapeUrl" | "withRoles">, { create, update, replace, remove }: RowWrites<T>,
): Collection<T, Key> & NonSingleResult {
  const options = config();
  /** Mutations that are made together are sent at once, and end with the server's word and the rows that follow from it. */
  const sent = (write: (mutation: RowMutation<T>) => Promise<Receipt>) =>
    async ({ transaction: { mutations } }: { transaction: { mutations: readonly unknown[] } }): Promise<void> => {
      const receipts = await Promise.all((mutations as readonly RowMutation<T>[]).map((mutation) => answered(mutation.mutationId, write(mutation))));
      await Promise.all(receipts.map(({ txid }) => txid !== undefined && arrived(txid)));
    };
  const change = update
    ? ({ original, changes, mutationId }: RowMutation<T>) => update(original as T, changes, mutationId, withRolesOf(config()) ? seenOf<T>(original as T, changes) : undefined)
    : replace && (({ modified, mutationId }: RowMutation<T>) => replace(modified, mutationId));
  const made = createCollection(electricCollectionOptions<T>({
    id: meta.name,
    getKey: (row) => row[meta.key] as Key,
    shapeOptions: {
      url: shapeUrlOf(options),
      parser: shapeParser,
      params: {
        table: quote(meta.name),
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
        const answer = await (options.fetch ?? fetch)(address, init);
        if (answer.ok) shown.set(collection, new Date());
        return answer;
      }) as typeof fetch,
    },
    ...(create ? { onInsert: sent(({ modified, metadata, mutationId }) => create((metadata as { given?: T } | undefined)?.given ?? modified, mutationId)) } : {}),
    ...(change ? { onUpdate: sent(change) } : {}),
    ...(remove ? { onDelete: sent(({ original, mutationId }) => remove(original as T, mutationId)) } : {}),
  }));
  // Whatever keeps the row away, as a subset that it is not in: the server has accepted the write.
  const arrived = (txid: number): Promise<unknown> => made.utils.awaitTxId(txid, config().timeoutMs ?? ROW_TIMEOUT_MS).catch(() => undefined);
  // Electric's options name any key's type, and this collection's own.
  const collection = made as unknown as Collection<T, Key> & NonSingleResult;
  return meta.mode === "optimistic" ? collection : confirmedCollection(collection);
}

const seenOf = <T extends Row>(row: T, changes: Partial<T>): Partial<T> =>
  Object.fromEntries(Object.keys(changes).map((name) => [name, row[name] ?? null])) as Partial<T>;

/** Ends a write that a server was asked for as one through a local database ends: it fails with a {@link WriteFailure}. */
async function answered<T>(writeId: string, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    if (error.kind !== "transient") throw new WriteFailure(writeId, errorOf(error));
    throw new WriteFailure(writeId, globalThis.navigator?.onLine === false ? OFFLINE : TIMED_OUT);
  }
}
