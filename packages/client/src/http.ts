/** How requests reach a server. */
export interface HttpOptions {
  /** The address before each path, which may have a path itself; none: the page's own. */
  readonly apiUrl?: string;
  /** Gives the bearer token of each request; undefined: there is none. */
  readonly token?: () => string | undefined | Promise<string | undefined>;
  /** Called at a 401 or 403. */
  readonly onAuthError?: (status: number) => void;
  readonly fetch?: typeof fetch;
  /** Of one request; one with a body has more, as a slow connection takes to send it. */
  readonly timeoutMs?: number;
  /** How often a request is repeated that may pass later. */
  readonly retries?: number;
}

/** Above it, what a server asks to wait is not waited: its clock may be another, and it may be back before it thought. */
export const RETRY_AFTER_MAX_MS = 300_000;

/** Characters of a body that the slowest connection sends in a millisecond: with less, a queue would never be sent. */
const SENT_PER_MS = 8;

/** What a failed request means for who made it. */
export type FailureKind =
  /** No answer, or one that a later try may better: 408, 429, 5xx, and what is not the server's. */
  | "transient"
  /** 401, 403: the user must act. */
  | "auth"
  /** Any other 4xx: the same request fails again. */
  | "permanent";

export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
  /** 0: there was no answer. */
  declare readonly status: number;
  declare readonly kind: FailureKind;
  declare readonly code: string;
  declare readonly details: unknown;
  /** When to come again, if the server said so. */
  declare readonly retryAfterMs: number | undefined;
  /** The JSON that came with it; undefined: none, as of what lies on the way to a server. */
  declare readonly answer: unknown;

  constructor(
    status: number, body: { code?: string; message?: string; details?: unknown }, retryAfterMs?: number, cause?: unknown, answer?: unknown,
  ) {
    super(body.message ?? (status === 0 ? "the server could not be reached" : `the server answered ${status}`), { cause });
    this.status = status;
    this.kind = kindOf(status);
    this.code = body.code ?? (status === 0 ? "unreachable" : `http_${status}`);
    this.details = body.details;
    this.retryAfterMs = retryAfterMs;
    this.answer = answer;
  }
}

/** Of a request that has not left, for want of what it needs. */
export const notSent = (why: string, cause: unknown): HttpFailure =>
  new HttpFailure(0, { code: "not_sent", message: `nothing was sent: ${why}: ${(cause as Error | undefined)?.message ?? cause}` }, undefined, cause);

/** Whether the browser knows that there is no connection. */
export const isOffline = (): boolean => globalThis.navigator?.onLine === false;

/** Whether a request has not left: it had not what it needs, or, as is told outside of browsers, there was nobody to connect to. */
export const isUnsent = (error: HttpFailure): boolean =>
  error.code === "not_sent" || (error.cause as { cause?: { code?: string } } | undefined)?.cause?.code === "ECONNREFUSED";

/** Of a part of this page that is loaded when it comes to it: a server that has another version of the page by now may have it no more. */
export const partMissing = (cause: unknown): never => {
  throw notSent("a part of this page could not be loaded, which reloading the page may mend", cause);
};

function kindOf(status: number): FailureKind {
  if (status < 400 || status === 408 || status === 429 || status >= 500) return "transient";
  return status === 401 || status === 403 ? "auth" : "permanent";
}

/**
 * The longest wait between tries. Somebody who looks at a page sees whether it is connected: a thousand of them ask a
 * server that comes back four hundred times a second, as they come at random.
 */
const backoffMaxMs = (): number => (globalThis.document?.hidden === false ? 5_000 : 30_000);

/** Waits before try `attempt` (from 1), at random: up to 5 s where the page is looked at, else 30 s, but not before `floorMs`. */
export const backoffMs = (attempt: number, floorMs = 0): number =>
  Math.max(floorMs, Math.random() * Math.min(backoffMaxMs(), 500 * 2 ** attempt));

const isOfOffset = (told: { errors?: { offset?: unknown } } | null): boolean => told?.errors?.offset !== undefined;
/** What a server says whose shape is another by now, with a handle that none has: all rows are read anew. */
const REFETCH = (): Response =>
  Response.json([{ headers: { control: "must-refetch" } }], { status: 409, headers: { "electric-handle": "none" } });

/**
 * Asks as `ask` does, again and again while there is no answer, or one that a later try may better, and at once when the browser
 * has a connection again. Electric's streams by themselves would wait for as long as any server says.
 */
export const askingOn = (ask: typeof fetch, tell?: (error: HttpFailure) => void): typeof fetch => (async (address: string, init?: RequestInit) => {
  for (let attempt = 1; ; attempt += 1) {
    let failure: HttpFailure;
    try {
      const answer = await ask(address, init);
      // A log that was put back to an older copy may end before what was read of it. To who begins it says that the offset was lost on the way.
      if (answer.status === 400 && !address.includes("offset=-1") && isOfOffset(await answer.clone().json().catch(() => null))) return REFETCH();
      if (answer.status !== 429 && answer.status < 500) return answer;
      failure = new HttpFailure(answer.status, {}, retryAfterMs(answer.headers));
      // Else the browser would keep its connection.
      await answer.body?.cancel();
    } catch (error) {
      failure = new HttpFailure(0, {}, undefined, error);
    }
    // Whatever asks may not look at the signal itself.
    init?.signal?.throwIfAborted();
    tell?.(failure);
    await pause(backoffMs(attempt, failure.retryAfterMs), init?.signal);
  }
}) as typeof fetch;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined: the answer has no body. */
  readonly body: unknown;
}

/** Makes a request, and repeats it where that can help. A write needs a `writeId`, so that it happens once. */
export async function request(
  options: HttpOptions, method: string, path: string, body?: unknown, headers: Record<string, string> = {}, signal?: AbortSignal,
): Promise<HttpAnswer> {
  const isRepeatable = method === "GET" || "idempotency-key" in headers;
  let left: HttpFailure | undefined;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(options, method, path, body, headers, signal);
    } catch (error) {
      if (!(error instanceof HttpFailure) || signal?.aborted) throw error;
      // A later try that did not leave says nothing of one that did.
      if (!isUnsent(error)) left = error;
      if (error.kind === "auth") options.onAuthError?.(error.status);
      if (error.kind !== "transient" || !isRepeatable || attempt > (options.retries ?? 3)) throw left ?? error;
      await pause(backoffMs(attempt, error.retryAfterMs), signal);
    }
  }
}

/** Waits, but not beyond the signal's end, nor when the browser has a connection again. */
export function pause(ms: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resume) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      globalThis.removeEventListener?.("online", end);
      resume();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
    globalThis.addEventListener?.("online", end);
    if (signal?.aborted) end();
  });
}

async function once(
  options: HttpOptions, method: string, path: string, body: unknown, headers: Record<string, string>, signal?: AbortSignal,
): Promise<HttpAnswer> {
  let answer: Response;
  let text: string;
  try {
    const token = await (async () => options.token?.())().catch((cause: unknown) => {
      throw notSent("the token could not be had", cause);
    });
    // Nothing where there is none.
    const sent = JSON.stringify(body) as string | undefined;
    const timeout = AbortSignal.timeout((options.timeoutMs ?? 10_000) + Math.round((sent?.length ?? 0) / SENT_PER_MS));
    answer = await (options.fetch ?? fetch)((options.apiUrl ?? "").replace(/\/+$/, "") + path, {
      method,
      headers: {
        accept: "application/json",
        ...(sent && { "content-type": "application/json" }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(sent && { body: sent }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    text = await answer.text();
  } catch (error) {
    throw error instanceof HttpFailure ? error : new HttpFailure(0, {}, undefined, error);
  }
  let parsed: unknown;
  try {
    parsed = text === "" ? undefined : JSON.parse(text);
  } catch (error) {
    // A proxy's page, not the server's word.
    if (answer.ok) throw new HttpFailure(answer.status, { code: "answer_invalid", message: `${method} ${path}: the answer is not JSON` }, undefined, error);
  }
  if (answer.ok) return { status: answer.status, headers: answer.headers, body: parsed };
  const told = (parsed as { error?: { code?: string; message?: string; details?: unknown } } | null | undefined)?.error;
  const message = `${method} ${path}: the server answered ${answer.status}`;
  throw new HttpFailure(answer.status, { message, ...told }, retryAfterMs(answer.headers), undefined, parsed);
}

/** A number of seconds, or a date. */
function retryAfterMs(headers: Headers): number | undefined {
  const told = headers.get("retry-after") ?? "";
  const ms = Number(told) * 1_000 || Date.parse(told) - Date.now();
  return ms > 0 ? Math.min(ms, RETRY_AFTER_MAX_MS) : undefined;
}
