import type { Change } from "./changes.js";
import { quote, type LocalDatabase } from "./database.js";
import { openSchema } from "./opening.js";
import type { EntityMeta, LocalSchema } from "./entity.js";
import { runFeed, type FeedState } from "./feed.js";
import { partMissing, type HttpOptions } from "./http.js";
import { prune } from "./rows.js";
import { runSender, synclineTransport, type SenderState, type Transport } from "./sender.js";
import { joinTabs } from "./tabs.js";
import { sharesConnection, takingTurns } from "./turns.js";
import { setConfirmTimeout } from "./writes.js";

/** How often what nobody asks for any more is let go. */
const PRUNE_EVERY_MS = 60_000;

export interface SyncOptions extends HttpOptions {
  readonly database: LocalDatabase;
  readonly schema: LocalSchema;
  /** The whole address of the shape endpoint; `<apiUrl>/v1/shape` unless told. */
  readonly shapeUrl?: string;
  /**
   * How writes reach the server: `syncline` sends many at once; a function gives method and path of each
   * write at any other backend, whose rows come over an Electric service.
   */
  readonly writes?: "syncline" | ((change: Change) => { method: string; path: string });
  /**
   * Whether the server's shapes have a column `_role`, the user's role on each row. A Syncline server's have:
   * unless told, it is asked for where neither `shapeUrl` nor `writes` names another.
   */
  readonly withRoles?: boolean;
  /**
   * How long a confirmed write waits for the server before it ends as `timed_out`, in milliseconds: 15,000 unless told,
   * 600,000 at most. One whose page was closed is ended after twice as long.
   */
  readonly confirmTimeoutMs?: number;
  /** Names the database among those of one origin: its tabs have one sender between them. */
  readonly name?: string;
}

export interface SyncState {
  /** Whether this tab is the one that sends and reads; the others see what it writes, and how it does. */
  readonly isLeader: boolean;
  readonly sender: SenderState;
  /** By entity. */
  readonly feeds: Readonly<Record<string, FeedState>>;
  /** What ended the sync; it runs again after {@link Sync.restart}. */
  readonly fault?: Error;
}

/** A running sync of the local database with its server. */
export interface Sync {
  readonly state: () => SyncState;
  readonly subscribe: (see: () => void) => () => void;
  /** Begins again, after a fault or with another user's token. */
  readonly restart: () => void;
  /** Ends it; unsent writes stay. */
  readonly stop: () => Promise<void>;
}

/** The whole address of the shape endpoint: what was told, or that of the server at `apiUrl`, which may lie below a path. */
export function shapeUrlOf({ shapeUrl, apiUrl = "" }: Pick<SyncOptions, "apiUrl" | "shapeUrl">): string {
  if (shapeUrl !== undefined) return shapeUrl;
  const page = globalThis.location?.href;
  const address = `${apiUrl.replace(/\/+$/, "")}/v1/shape`;
  if (page === undefined && !URL.canParse(address)) {
    throw new Error(`outside of a page, apiUrl must be a whole address: it is ${JSON.stringify(apiUrl)}`);
  }
  return new URL(address, page).href;
}

/** Whether shapes are asked for the user's role on each row: as was told, else wherever they are a Syncline server's. */
export const withRolesOf = ({ withRoles, shapeUrl, writes }: Pick<SyncOptions, "withRoles" | "shapeUrl" | "writes">): boolean =>
  withRoles ?? (shapeUrl === undefined && typeof writes !== "function");

/** Databases that this page has brought to another version: a tab that leads reads for the version before. */
const brought = new WeakSet<LocalDatabase>();

/** Opens the schema in the local database. Reads and writes work from here on, with a server or without. */
export async function openLocal(
  { database, schema, confirmTimeoutMs }: Pick<SyncOptions, "database" | "schema" | "confirmTimeoutMs">,
): Promise<void> {
  setConfirmTimeout(database, confirmTimeoutMs);
  if (await openSchema(database, schema)) brought.add(database);
}

/** Sends the queue and reads the rows, in one tab of all that have the database open. */
export function startSync(options: SyncOptions): Sync {
  const { database, schema, confirmTimeoutMs } = options;
  if (confirmTimeoutMs !== undefined) setConfirmTimeout(database, confirmTimeoutMs);
  const listeners = new Set<() => void>();
  let state: SyncState = { isLeader: false, sender: { status: "idle" }, feeds: {} };
  const tell = (changed: Partial<SyncState>): void => {
    state = { ...state, ...changed };
    listeners.forEach((see) => see());
    if (state.isLeader || "isLeader" in changed || "fault" in changed) tabs.tell(state);
  };
  const lockName = `syncline:${options.name ?? "default"}`;
  const tabs = joinTabs(lockName, {
    asked: () => {
      if (state.isLeader) tabs.tell(state);
    },
    told: (theirs) => {
      if (state.isLeader) return;
      state = { ...theirs, isLeader: false };
      listeners.forEach((see) => see());
    },
    restart: () => {
      if (state.isLeader) restart();
    },
  });
  const shapeUrl = shapeUrlOf(options);
  const turns = takingTurns(options.fetch ?? fetch, sharesConnection(shapeUrl));
  const send = typeof options.writes === "function" ? restOf(options, options.writes) : synclineTransport(options);
  const transport: Transport = Object.assign(async (transactions: Parameters<Transport>[0], signal: AbortSignal) => {
    const outcomes = await send(transactions, signal);
    // What became of them comes with the rows.
    for (const { entity } of transactions.flatMap(({ changes }) => changes)) turns.hurry(quote(entity));
    return outcomes;
  }, send);
  const feedOptions = { ...options, shapeUrl, fetch: turns.fetch, withRoles: withRolesOf(options) };

  const lead = async (signal: AbortSignal): Promise<void> => {
    // What was told of the run before, in this tab or another, is not this one's.
    state = { isLeader: true, sender: { status: "idle" }, feeds: {} };
    tell({ isLeader: true });
    const pruning = setInterval(() => void prune(database).catch(() => undefined), PRUNE_EVERY_MS);
    const inner = new AbortController();
    signal.addEventListener("abort", () => inner.abort(), { once: true });
    const feed = (meta: EntityMeta): Promise<void> =>
      runFeed(database, meta, feedOptions, inner.signal, (told) => tell({ feeds: { ...state.feeds, [meta.name]: told } }));
    try {
      await Promise.all([
        runSender(database, transport, inner.signal, (sender) => tell({ sender })),
        ...schema.entities.map(({ meta }) => feed(meta)),
      ]);
    } finally {
      inner.abort();
      clearInterval(pruning);
      tell({ isLeader: false });
    }
  };

  let controller = new AbortController();
  let isStopped = false;
  let isBeginning = true;
  const begin = async (): Promise<void> => {
    isBeginning = false;
    if (isStopped) return;
    controller = new AbortController();
    const { signal } = controller;
    await underLock(lockName, signal, () => lead(signal)).catch((error: unknown) => {
      if (!signal.aborted) tell({ fault: error as Error });
    });
  };
  let running = begin();
  // It asks for the lead again behind this tab, which waits for it already.
  if (brought.delete(database)) tabs.restart();
  // One run follows another: none begins before the one before it has ended.
  const restart = (): void => {
    controller.abort();
    if (!isBeginning) running = running.then(begin);
    isBeginning = true;
  };
  return {
    state: () => state,
    subscribe: (see) => {
      listeners.add(see);
      return () => void listeners.delete(see);
    },
    restart: () => {
      if (!state.isLeader) tabs.restart();
      restart();
    },
    stop: async () => {
      isStopped = true;
      controller.abort();
      await running;
      tabs.leave();
    },
  };
}

/** A page whose writes go to a Syncline server has no need of the other transport, and does not load it. */
function restOf(options: SyncOptions, route: (change: Change) => { method: string; path: string }): Transport {
  const metas = options.schema.entities.map(({ meta }) => meta);
  let send: Transport | undefined;
  return Object.assign(async (...of: Parameters<Transport>) => {
    const { restTransport } = await import("./rest.js").catch(partMissing);
    send ??= restTransport(options, route, metas);
    return send(...of);
  }, { takesOne: true });
}

/** Runs `work` while no other tab runs the same; where there are no tabs, at once. */
async function underLock(name: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  const locks = globalThis.navigator?.locks;
  if (!locks) return work();
  await locks.request(name, { signal }, work);
}
