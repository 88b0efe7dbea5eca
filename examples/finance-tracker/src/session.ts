/** Who is using the books, and where their server is. */
import type { ClientConfig } from "./generated/config.js";

export type Role = "viewer" | "editor" | "owner";

export interface User {
  /** The server's name of the user. */
  readonly user: string;
  readonly name: string;
  readonly role: Role;
  readonly token: string;
}

/** What the server of this example tells a page: an application of yours would have a login instead. */
export interface Setting {
  readonly shapeUrl: string;
  readonly users: readonly User[];
  /** How long the client waits, where it is another time than its own. */
  readonly client?: Pick<ClientConfig, "timeoutMs" | "confirmTimeoutMs">;
}

const SETTING = "finance-tracker.setting";
const USER = "finance-tracker.user";

/** The setting as the server tells it; without a connection, as it told it last. */
export async function readSetting(): Promise<Setting> {
  try {
    const answer = await fetch("/setting.json");
    if (!answer.ok) throw new Error(`the page's server answered ${answer.status}`);
    const text = await answer.text();
    localStorage.setItem(SETTING, text);
    return JSON.parse(text) as Setting;
  } catch (error) {
    const kept = localStorage.getItem(SETTING);
    if (kept === null) throw error;
    return JSON.parse(kept) as Setting;
  }
}

/** The user of this browser: the address's `?user=`, else the last one, else the first. */
export function currentUser({ users }: Setting): User {
  const asked = new URLSearchParams(location.search).get("user") ?? localStorage.getItem(USER);
  const user = users.find((one) => one.user === asked) ?? users[0];
  if (!user) throw new Error("the setting names no user");
  localStorage.setItem(USER, user.user);
  return user;
}

const left = new BroadcastChannel("finance-tracker.left");

/** Calls `see` when another tab has removed a user's books from this browser. */
export const onLeft = ({ user }: User, see: () => void): void =>
  left.addEventListener("message", ({ data }: MessageEvent<string>) => data === user && see());
export const tellLeft = ({ user }: User): void => left.postMessage(user);

/** Opens the books as another user. Each has a database of their own, since each may see other things. */
export function become(user: User): void {
  localStorage.setItem(USER, user.user);
  history.replaceState(null, "", location.pathname + location.hash);
  location.reload();
}
