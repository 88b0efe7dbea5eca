/** How many polls are open at a time: a browser has six connections to an address, and writes need one too. */
const POLLS_MAX = 5;
/** How long a poll stays open where others wait. */
const TURN_MS = 1_000;

interface Poll {
  isPast: boolean;
  readonly end: AbortController;
}

/** Asks for shapes as `ask` does, and lets those that wait for news take turns: where there are few connections, as over HTTP/1.1. */
export function takingTurns(ask: typeof fetch): typeof fetch {
  const polls = new Set<Poll>();
  const waiting = new Set<() => void>();
  /** Ends the poll that is open longest, if that has had its turn. */
  const makePlace = (): void => {
    const [first] = polls;
    if (waiting.size > 0 && first?.isPast) first.end.abort();
  };
  const place = (signal: AbortSignal): Promise<void> =>
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
      waiting.add(come);
      signal.addEventListener("abort", leave, { once: true });
      makePlace();
    });
  return (async (address: string, init: RequestInit = {}) => {
    const { searchParams } = new URL(address);
    if (searchParams.get("live") !== "true") return ask(address, init);
    const signal = init.signal ?? new AbortController().signal;
    while (polls.size >= POLLS_MAX) await place(signal);
    const poll: Poll = { isPast: false, end: new AbortController() };
    polls.add(poll);
    const timer = setTimeout(() => {
      poll.isPast = true;
      makePlace();
    }, TURN_MS);
    try {
      return await ask(address, { ...init, signal: AbortSignal.any([signal, poll.end.signal]) });
    } catch (error) {
      if (signal.aborted || !poll.end.signal.aborted) throw error;
      // As a server that has no news: the stream asks again from where it was.
      const as = (name: string): string => searchParams.get(name) ?? "";
      const headers = { "electric-handle": as("handle"), "electric-offset": as("offset"), "electric-cursor": as("cursor") };
      return new Response(null, { status: 204, headers });
    } finally {
      clearTimeout(timer);
      polls.delete(poll);
      const [next] = waiting;
      next?.();
      makePlace();
    }
  }) as typeof fetch;
}
