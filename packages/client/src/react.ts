import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { discardWrite, exportWrites, pendingChanges, rejectedChanges, retryWrite, type Change } from "./changes.js";
import type { LocalDatabase } from "./database.js";
import { can, type EntityMeta, type Row } from "./entity.js";
import type { Sync, SyncState } from "./sync.js";
import { deleteRow, insertRow, updateRow, writeSettled } from "./writes.js";

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
    const key = (input[meta.key] ?? crypto.randomUUID()) as Key;
    await writeSettled(database, meta, key, (on) => insertRow(on, database.dialect, meta, { ...input, [meta.key]: key }));
    return key;
  }, [database, meta]));
}

/** Changes the fields of a row that `changes` names. */
export function useUpdate<Changes extends Row, Key extends string | number = string | number>(
  database: LocalDatabase, meta: EntityMeta,
): Mutation<{ key: Key; changes: Changes }, void> {
  return useMutationOf(useCallback(
    ({ key, changes }: { key: Key; changes: Changes }) =>
      writeSettled(database, meta, key, (on) => updateRow(on, database.dialect, meta, key, changes)),
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

function useChanges(database: LocalDatabase, read: (database: LocalDatabase) => Promise<Change[]>): readonly Change[] {
  const [changes, setChanges] = useState<readonly Change[]>([]);
  useEffect(() => {
    let isOver = false;
    const look = (): void => void read(database).then((found) => {
      if (!isOver) setChanges((before) => (JSON.stringify(before) === JSON.stringify(found) ? before : found));
    });
    const stop = database.onTouched(look);
    look();
    return () => {
      isOver = true;
      stop();
    };
  }, [database, read]);
  return changes;
}

/** The writes that the server has not yet accepted. */
export const usePendingWrites = (database: LocalDatabase): readonly Change[] => useChanges(database, pendingChanges);

/** The writes that the server has refused, and what can be done with them. */
export function useRejectedWrites(database: LocalDatabase): {
  readonly writes: readonly Change[];
  readonly retry: (writeId: string) => Promise<void>;
  readonly discard: (writeId: string) => Promise<void>;
  readonly exportAll: () => Promise<string>;
} {
  const writes = useChanges(database, rejectedChanges);
  return {
    writes,
    retry: useCallback((writeId: string) => retryWrite(database, writeId), [database]),
    discard: useCallback((writeId: string) => discardWrite(database, writeId), [database]),
    exportAll: useCallback(() => exportWrites(database), [database]),
  };
}

/** What the sync is doing. */
export const useSyncState = (sync: Sync): SyncState => useSyncExternalStore(sync.subscribe, sync.state, sync.state);
