import { useCallback, useState, useSyncExternalStore } from "react";
import { discardWrite, exportWrites, readChanges, retryWrite, type Change } from "./changes.js";
import type { LocalDatabase } from "./database.js";
import { can, type EntityMeta, type Row } from "./entity.js";
import { pause } from "./http.js";
import { keyOf, whenTouched } from "./rows.js";
import type { Sync, SyncState } from "./sync.js";
import { deleteRow, insertRow, updateRow, writeSettled } from "./writes.js";

export { useRows, type LiveCollection, type LiveRows } from "./live.js";

/** A write of a component: the same for every mode of writing. */
export interface Mutation<Input, Output> {
  /** Makes the write; a failure shows in `error`. */
  readonly mutate: (input: Input) => void;
  /** Makes the write, and rejects if it fails. */
  readonly mutateAsync: (input: Input) => Promise<Output>;
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly reset: () => void;
}

/** A write of a component, from a function that makes it. `run` must stay the same between renderings. */
export function useMutationOf<Input, Output>(run: (input: Input) => Promise<Output>): Mutation<Input, Output> {
  const [state, setState] = useState<{ running: number; error: Error | null }>({ running: 0, error: null });
  const mutateAsync = useCallback(async (input: Input): Promise<Output> => {
    setState(({ running }) => ({ running: running + 1, error: null }));
    try {
      const output = await run(input);
      setState(({ running, error }) => ({ running: running - 1, error }));
      return output;
    } catch (error) {
      setState(({ running }) => ({ running: running - 1, error: error as Error }));
      throw error;
    }
  }, [run]);
  const mutate = useCallback((input: Input): void => void mutateAsync(input).catch(() => undefined), [mutateAsync]);
  const reset = useCallback(() => setState(({ running }) => ({ running, error: null })), []);
  return { mutate, mutateAsync, isPending: state.running > 0, error: state.error, reset };
}

/** Makes a row; a key is minted if none is given. Gives the row's key. */
export function useCreate<Input extends Row, Key extends string | number = string | number>(
  database: LocalDatabase, meta: EntityMeta,
): Mutation<Input, Key> {
  return useMutationOf(useCallback(async (input: Input) => {
    const key = keyOf(meta, input[meta.key] ?? crypto.randomUUID()) as Key;
    await writeSettled(database, meta, key, (on) => insertRow(on, database.dialect, meta, { ...input, [meta.key]: key }));
    return key;
  }, [database, meta]));
}

/** Changes the fields of a row that `changes` names; `base` is the row as its writer has seen it, where that is not what is shown now. */
export function useUpdate<Changes extends Row, Key extends string | number = string | number>(
  database: LocalDatabase, meta: EntityMeta,
): Mutation<{ key: Key; changes: Changes; base?: object }, void> {
  return useMutationOf(useCallback(
    ({ key, changes, base }: { key: Key; changes: Changes; base?: object }) =>
      writeSettled(database, meta, key, (on) => updateRow(on, database.dialect, meta, key, changes, base)),
    [database, meta],
  ));
}

/** Deletes a row. */
export function useDelete<Key extends string | number = string | number>(
  database: LocalDatabase, meta: EntityMeta,
): Mutation<Key, void> {
  return useMutationOf(useCallback(
    (key: Key) => writeSettled(database, meta, key, (on) => deleteRow(on, meta, key)), [database, meta],
  ));
}

/** Whether the user may write a field of a row. */
export const useCan = (meta: EntityMeta, row: Row | undefined, field: string): boolean =>
  can(meta, row?.["_role"] as string | null | undefined, field);

interface Queue {
  /** Undefined: it was not read yet. */
  readonly pending: readonly Change[] | undefined;
  readonly rejected: readonly Change[];
}

interface QueueReader {
  readonly subscribe: (see: () => void) => () => void;
  readonly current: () => Queue;
}

/** Above so many writes the queue is read once in a while, and not after each of them. */
const QUEUE_LONG = 1_000;
const LONG_QUEUE_REST_MS = 1_000;

const UNREAD: Queue = { pending: undefined, rejected: [] };
const queues = new WeakMap<LocalDatabase, QueueReader>();

/** The queue of a database, read once for all components that show it, while there are any. */
function queueOf(database: LocalDatabase): QueueReader {
  const known = queues.get(database);
  if (known) return known;
  const listeners = new Set<() => void>();
  let queue = UNREAD;
  const look = async (isOver: () => boolean): Promise<void> => {
    const found = await readChanges(database, `"state" <> 'acknowledged'`);
    if (isOver()) return;
    const part = (before: Queue["pending"], isRejected: boolean): readonly Change[] => {
      const now = found.filter(({ state }) => (state === "rejected") === isRejected);
      return JSON.stringify(now) === JSON.stringify(before) ? before! : now;
    };
    queue = { pending: part(queue.pending, false), rejected: part(queue.rejected, true) };
    listeners.forEach((see) => see());
    if (found.length > QUEUE_LONG) await pause(LONG_QUEUE_REST_MS);
  };
  let stop = (): void => undefined;
  const reader: QueueReader = {
    current: () => queue,
    subscribe: (see) => {
      listeners.add(see);
      // Of a database that was closed, what was read last stays.
      if (listeners.size === 1) stop = whenTouched(database, look, () => undefined);
      return () => {
        listeners.delete(see);
        if (listeners.size > 0) return;
        stop();
        // Nobody tells of what is written meanwhile.
        queue = UNREAD;
      };
    },
  };
  queues.set(database, reader);
  return reader;
}

function useQueue<Part extends keyof Queue>(database: LocalDatabase, part: Part): Queue[Part] {
  const { subscribe, current } = queueOf(database);
  const read = (): Queue[Part] => current()[part];
  return useSyncExternalStore(subscribe, read, read);
}

/** The writes that the server has not yet accepted; undefined until they have been read: there may be some. */
export const usePendingWrites = (database: LocalDatabase): readonly Change[] | undefined => useQueue(database, "pending");

/** The writes that the server has refused, and what can be done with them; `isLoading` until they have been read for the first time. */
export function useRejectedWrites(database: LocalDatabase): {
  readonly writes: readonly Change[];
  readonly isLoading: boolean;
  /** Offers a write again, with those that build on it, or the one that it builds on. */
  readonly retry: (writeId: string) => Promise<void>;
  /** Lets a write go, with those that were written together with it and that build on it. */
  readonly discard: (writeId: string) => Promise<void>;
  readonly exportAll: () => Promise<string>;
} {
  const writes = useQueue(database, "rejected");
  return {
    writes,
    isLoading: usePendingWrites(database) === undefined,
    retry: useCallback((writeId: string) => retryWrite(database, writeId), [database]),
    discard: useCallback((writeId: string) => discardWrite(database, writeId), [database]),
    exportAll: useCallback(() => exportWrites(database), [database]),
  };
}

/** What the sync is doing. */
export const useSyncState = (sync: Sync): SyncState => useSyncExternalStore(sync.subscribe, sync.state, sync.state);
