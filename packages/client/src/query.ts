import { useEffect } from "react";
import { useMutation, useQuery, useQueryClient, type QueryKey, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";
import type { LocalDatabase } from "./database.js";
import type { EntityMeta, Row } from "./entity.js";
import type { Mutation } from "./react.js";
import { readRow, readRows, whenTouched } from "./rows.js";

/** TanStack Query over an entity's view: what it reads is in the page, whatever the connection does. */
function useLocalQuery<T>(database: LocalDatabase, meta: EntityMeta, queryKey: QueryKey, read: () => Promise<T>, key?: string): UseQueryResult<T> {
  const client = useQueryClient();
  const name = JSON.stringify(queryKey);
  useEffect(() => {
    const filters = { queryKey: JSON.parse(name) as QueryKey, exact: true };
    const again = (): Promise<void> => client.invalidateQueries(filters, { cancelRefetch: false });
    let seen: unknown;
    return whenTouched(database, async () => {
      const last = await lastTouch(database, meta, key);
      if (last === seen) return;
      seen = last;
      // A read that is under way may have begun before the change.
      if (client.isFetching(filters) > 0) await again();
      await again();
    }, () => undefined);
  }, [client, database, meta, name, key]);
  return useQuery({ queryKey, queryFn: read, networkMode: "always", staleTime: Infinity, retry: false });
}

/** Names the last change of an entity's shown rows, or of one of them. */
async function lastTouch(database: LocalDatabase, meta: EntityMeta, key: string | undefined): Promise<number> {
  const [touched] = await database.query<{ last: number | null }>(
    `SELECT max("id") AS "last" FROM "_touched" WHERE "entity" = $1 AND "key" = coalesce($2, "key")`, [meta.name, key ?? null],
  );
  return Number(touched?.last ?? 0);
}

/** All rows of an entity, read again whenever one of them changes. */
export const useRowsQuery = <T extends Row>(database: LocalDatabase, meta: EntityMeta): UseQueryResult<T[]> =>
  useLocalQuery(database, meta, [meta.name, "list"], () => readRows(database, database.dialect, meta) as Promise<T[]>);

/** One row of an entity, read again whenever it changes; null: there is none. */
export const useRowQuery = <T extends Row>(database: LocalDatabase, meta: EntityMeta, key: string | number): UseQueryResult<T | null> =>
  useLocalQuery(database, meta, [meta.name, "one", key], async () => (await readRow(database, database.dialect, meta, key) ?? null) as T | null, String(key));

/** A write as a mutation of TanStack Query, which never waits for a connection: the write's own mode says what it waits for. */
export const useLocalMutation = <Input, Output>({ mutateAsync }: Mutation<Input, Output>): UseMutationResult<Output, Error, Input> =>
  useMutation({ mutationFn: mutateAsync, networkMode: "always" });
