import { useMemo, useSyncExternalStore } from "react";

/** What is used of a TanStack DB collection. */
export interface LiveCollection<T, Key extends string | number> {
  readonly status: string;
  /** In the order in which rows are shown. */
  readonly keys: () => Iterable<Key>;
  readonly get: (key: Key) => T | undefined;
  /** Follows the rows, and has them read while anybody does. */
  readonly subscribeChanges: (
    see: (changes: readonly { readonly key: string | number }[]) => void, options: { readonly includeInitialState: false },
  ) => { readonly unsubscribe: () => void };
  readonly on: (event: "status:change", see: () => void) => () => void;
}

/** All rows of a collection; `isLoading` until it has read them for the first time. */
export interface LiveRows<T> {
  readonly data: T[];
  readonly isLoading: boolean;
  readonly isError: boolean;
}

/** Above so many rows that change at once, all are read. */
const REPLACED_MAX = 100;

interface Reader<T> {
  readonly subscribe: (see: () => void) => () => void;
  readonly current: () => LiveRows<T>;
}

const readers = new WeakMap<object, Reader<unknown>>();

/**
 * The rows of a collection, read once for all components that show them. After a change the list is made of the
 * former one: to ask a collection of ten thousand for each of its rows again takes longer than to read the one that
 * has changed.
 */
function readerOf<T, Key extends string | number>(collection: LiveCollection<T, Key>): Reader<T> {
  const known = readers.get(collection) as Reader<T> | undefined;
  if (known) return known;
  const listeners = new Set<() => void>();
  let keys: readonly Key[] = [];
  let shown: LiveRows<T> = { data: [], isLoading: true, isError: false };
  /** The former list with other rows in the same places; undefined: there are none, or others. */
  const replaced = (touched: ReadonlySet<Key>): T[] | undefined => {
    if (touched.size > REPLACED_MAX) return undefined;
    const data = [...shown.data];
    for (const key of touched) {
      const at = keys.indexOf(key);
      const row = collection.get(key);
      if (at < 0 || row === undefined) return undefined;
      data[at] = row;
    }
    // A row may have got another place: one that the collection's own writes have made stands last until its source shows it.
    let at = 0;
    for (const key of collection.keys()) {
      if (keys[at] !== key) return undefined;
      at += 1;
    }
    return at === keys.length ? data : undefined;
  };
  /** Reads the rows of these keys, or all. */
  const read = (touched?: ReadonlySet<Key>): void => {
    const isError = collection.status === "error";
    const isLoading = !isError && collection.status !== "ready";
    let data = touched && replaced(touched);
    if (!data) {
      keys = [...collection.keys()];
      data = keys.map((key) => collection.get(key)!);
    }
    const { data: before } = shown;
    const isSame = isError === shown.isError && isLoading === shown.isLoading
      && data.length === before.length && data.every((row, at) => row === before[at]);
    if (isSame) return;
    shown = { data, isLoading, isError };
    listeners.forEach((see) => see());
  };
  let stop = (): void => undefined;
  const reader: Reader<T> = {
    current: () => {
      // Nobody tells of changes before the first component follows them.
      if (listeners.size === 0) read();
      return shown;
    },
    subscribe: (see) => {
      if (listeners.size === 0) {
        const follow = (changes: readonly { readonly key: string | number }[]): void => read(new Set(changes.map(({ key }) => key as Key)));
        // Said in so many words: else the deletes of rows that it has not told of are kept back.
        const changes = collection.subscribeChanges(follow, { includeInitialState: false });
        const unfollow = collection.on("status:change", () => read());
        stop = () => {
          changes.unsubscribe();
          unfollow();
        };
        read();
      }
      listeners.add(see);
      return () => {
        listeners.delete(see);
        if (listeners.size === 0) stop();
      };
    },
  };
  readers.set(collection, reader);
  return reader;
}

/** All rows of a collection, in its order, kept up to date. */
export function useRows<T, Key extends string | number>(collection: LiveCollection<T, Key>): LiveRows<T> {
  const { subscribe, current } = readerOf(collection);
  const shown = useSyncExternalStore(subscribe, current, current);
  // A list of this component's own, which it may sort in its place.
  return useMemo(() => ({ ...shown, data: [...shown.data] }), [shown]);
}
