/** What came to nothing after its form was closed: the page tells it, whichever is shown by then. */
import { useSyncExternalStore } from "react";

export interface Notice {
  /** What was to be done. */
  readonly title: string;
  readonly reason: string;
}

let notices: readonly Notice[] = [];
const listeners = new Set<() => void>();

function set(next: readonly Notice[]): void {
  notices = next;
  listeners.forEach((see) => see());
}

export const tell = (notice: Notice): void => set([...notices, notice]);
export const dismiss = (notice: Notice): void => set(notices.filter((one) => one !== notice));

const subscribe = (see: () => void): (() => void) => {
  listeners.add(see);
  return () => void listeners.delete(see);
};

/** The oldest that nobody has dismissed. */
export const useNotice = (): Notice | undefined => useSyncExternalStore(subscribe, () => notices[0]);
