import type { SyncState } from "./sync.js";

/** What the tabs that share a database tell each other. */
type Message =
  /** How the sync of the tab that leads is doing. */
  | { readonly kind: "state"; readonly state: string }
  /** A tab that has just come wants to know. */
  | { readonly kind: "ask" }
  /** A tab asks the one that leads to begin again. */
  | { readonly kind: "restart" };

export interface Tabs {
  /** Tells the others how the sync of this tab is doing. */
  readonly tell: (state: SyncState) => void;
  readonly restart: () => void;
  readonly leave: () => void;
}

/** Joins the tabs that share a database; where there are no tabs, nobody is told. */
export function joinTabs(name: string, on: { asked: () => void; told: (state: SyncState) => void; restart: () => void }): Tabs {
  const hasTabs = globalThis.navigator?.locks !== undefined && typeof BroadcastChannel !== "undefined";
  const channel = hasTabs ? new BroadcastChannel(name) : undefined;
  const post = (message: Message): void => channel?.postMessage(message);
  channel?.addEventListener("message", ({ data }: MessageEvent<Message>) => {
    if (data.kind === "state") on.told(unpacked(data.state));
    else if (data.kind === "ask") on.asked();
    else on.restart();
  });
  post({ kind: "ask" });
  return {
    tell: (state) => post({ kind: "state", state: packed(state) }),
    restart: () => post({ kind: "restart" }),
    leave: () => channel?.close(),
  };
}

// Of an error its message goes: not every error can be copied to another tab.
const packed = (state: SyncState): string =>
  JSON.stringify(state, (_, value: unknown) => (value instanceof Error ? value.message : value));
const unpacked = (text: string): SyncState =>
  JSON.parse(text, (name, value: unknown) =>
    (name === "error" || name === "fault") && typeof value === "string" ? new Error(value) : value) as SyncState;
