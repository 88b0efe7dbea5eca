/** How many polls are open at a time: a browser has six connections to an address, and writes need one too. */
const POLLS_MAX = 5;
/** How long a poll stays open where others wait. */
const TURN_MS = 1_000;

interface Poll {
  readonly table: string;
  isPast: boolean;
  readonly end: AbortController;
}

/**
 * Tells whether all requests to an address share one connection, as over HTTP/2, by what the browser has told of those
 * that were made: until then, and where it tells nothing, as of another origin without `Timing-Allow-Origin`, they don't.
 */
export function sharesConnection(address: string): () => boolean {
  const { origin } = new URL(address);
  let protocol = "";
  const isTold = globalThis.PerformanceObserver?.supportedEntryTypes?.includes("resource");
  if (isTold) {
    const observer = new PerformanceObserver((list) => {
      for (const { name, nextHopProtocol } of list.getEntries() as PerformanceResourceTiming[]) {
        if (!nextHopProtocol || new URL(name).origin !== origin) continue;
        protocol = nextHopProtocol;
        observer.disconnect();
      }
    });
    observer.observe({ type: "resource", buffered: true });
  }
  return () => /^h[23]/.test(protocol);
}

/** Asks for shapes in turns. */
export interface Turns {
  readonly fetch: typeof fetch;
  /** Has the shape of a table asked for next: there is something in it that somebody waits for. */
  readonly hurry: (table: string) => void;
}

/**
 * Asks for shapes as `ask` does. Of those that wait for news, where they don't share a connection, so many are open at
 * a time that a write finds one, and they take turns.
 */
export function takingTurns(ask: typeof fetch, isShared: () => boolean): Turns {
  const polls = new Set<Poll>();
  const waiting = new Map<() => void, string>();
  const hurried = new Set<string>();
  /** The tables whose turn has ended without an answer, which may have been on its way. */
  const missed = new Set<string>();
  /** The next of those that wait, and whether it need not wait for the end of another's turn. */
  const next = (): { come: () => void; isHurried: boolean } | undefined => {
    const all = [...waiting];
    const first = all.find(([, table]) => hurried.has(table)) ?? all[0];
    return first && { come: first[0], isHurried: hurried.has(first[1]) };
  };
  /** Ends the poll that is open longest, if that has had its turn. */
  const makePlace = (): void => {
    const [first] = polls;
    const one = next();
    if (one && first && (first.isPast || one.isHurried)) first.end.abort();
  };
  const place = (table: string, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const come = (): void => {
        waiting.delete(come);
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        waiting.delete(come);
        reject(signal.reason as Error);
      };
      waiting.set(come, table);
      signal.addEventListener("abort", leave, { once: true });
      makePlace();
    });
  const asked = (async (address: string, init: RequestInit = {}) => {
    const url = new URL(address);
    const { searchParams } = url;
    if (searchParams.get("live") !== "true") return ask(address, init);
    const as = (name: string): string => searchParams.get(name) ?? "";
    const signal = init.signal ?? new AbortController().signal;
    const table = as("table");
    if (missed.delete(table)) {
      // What there is: the server answers at once, and however long that takes on the way, nobody ends it.
      searchParams.delete("live");
      const { body, headers, status } = await ask(url.href, { ...init, cache: "no-store" });
      return new Response(body, { status, headers: { ...Object.fromEntries(headers), "electric-cursor": as("cursor") } });
    }
    while (!isShared() && polls.size >= POLLS_MAX) await place(table, signal);
    const poll: Poll = { table, isPast: false, end: new AbortController() };
    polls.add(poll);
    hurried.delete(table);
    const timer = setTimeout(() => {
      poll.isPast = true;
      makePlace();
    }, TURN_MS);
    try {
      return await ask(address, { ...init, signal: AbortSignal.any([signal, poll.end.signal]) });
    } catch (error) {
      if (signal.aborted || !poll.end.signal.aborted) throw error;
      // As a server that has no news: the stream asks again from where it was.
      missed.add(table);
      const headers = { "electric-handle": as("handle"), "electric-offset": as("offset"), "electric-cursor": as("cursor") };
      return new Response(null, { status: 204, headers });
    } finally {
      clearTimeout(timer);
      polls.delete(poll);
      next()?.come();
      makePlace();
    }
  }) as typeof fetch;
  return {
    fetch: asked,
    hurry: (table) => {
      // One that is open hears of it by itself.
      if ([...polls].some((poll) => poll.table === table)) return;
      hurried.add(table);
      makePlace();
    },
  };
}
