import { useEffect, useState } from "react";
import type { LocalDatabase } from "./database.js";
import type { EntityMeta } from "./entity.js";

/** Between looks at how old something is, at most. */
const LOOK_EVERY_MS = 5_000;

/** How old what is shown of a cached entity is. */
export interface Age {
  /** When the server last said that this is what it has; undefined: it has not yet. */
  readonly fetchedAt: Date | undefined;
  /** Whether that is longer ago than the entity's `ttlSeconds`. */
  readonly isStale: boolean;
}

/** When the server last said that a database has an entity's rows as it has them. */
export async function readAt(database: LocalDatabase, meta: EntityMeta): Promise<Date | undefined> {
  const [shape] = await database.query<{ read_at: string | null }>(`SELECT "read_at" FROM "_shapes" WHERE "entity" = $1`, [meta.name]);
  return shape?.read_at == null ? undefined : new Date(shape.read_at);
}

/** How old an entity's rows are, by the time that `read` gives. It looks again while the component is there. */
export function useAge(meta: EntityMeta, read: () => Date | undefined | Promise<Date | undefined>): Age {
  const [age, setAge] = useState<Age>({ fetchedAt: undefined, isStale: true });
  useEffect(() => {
    let isOver = false;
    const ttlMs = (meta.ttlSeconds ?? Infinity) * 1_000;
    const look = async (): Promise<void> => {
      const fetchedAt = await read();
      const isStale = fetchedAt === undefined || Date.now() - fetchedAt.getTime() > ttlMs;
      if (isOver) return;
      setAge((before) => (before.isStale === isStale && before.fetchedAt?.getTime() === fetchedAt?.getTime() ? before : { fetchedAt, isStale }));
    };
    // Of a database that was closed, what was read last stays.
    const lookAgain = (): void => void look().catch(() => undefined);
    lookAgain();
    const timer = setInterval(lookAgain, Math.min(LOOK_EVERY_MS, Math.max(250, ttlMs / 4)));
    return () => {
      isOver = true;
      clearInterval(timer);
    };
    // `read` asks for the database that is open by then: which function it is does not matter.
  }, [meta]);
  return age;
}
