/** The small pieces that the pages are made of. */
import { useEffect, useRef, type CSSProperties, type MouseEvent, type ReactNode } from "react";
import { Icon } from "./icons.jsx";
import { monthName, shifted } from "./months.js";

export function Page({ title, action, children }: { title: string; action?: ReactNode; children: ReactNode }) {
  return (
    <section className="page" aria-label={title}>
      <header className="page-head">
        <h1>{title}</h1>
        {action}
      </header>
      {children}
    </section>
  );
}

export function Card({ title, aside, children, className = "" }: { title?: string; aside?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <div className={`card ${className}`}>
      {title === undefined ? null : <div className="card-head"><h2>{title}</h2>{aside}</div>}
      {children}
    </div>
  );
}

export const Empty = ({ children }: { children: ReactNode }) => <p className="empty">{children}</p>;

/** A dot in a category's colour. */
export const Dot = ({ color }: { color: string | null | undefined }) => <span className="dot" style={{ "--dot": color ?? "var(--line-strong)" } as CSSProperties} />;

/** Shows that the server does not have a row as it is shown. */
export const Unsent = ({ row }: { row: { _has_local_changes?: boolean } }) =>
  row._has_local_changes ? <span className="unsent" title="Not with the server yet">not sent yet</span> : null;

export function Bar({ part, label, tone }: { part: number; label: string; tone: "fine" | "near" | "over" }) {
  const percent = Math.round(part * 100);
  return (
    <div className={`bar ${tone}`} role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.min(100, percent)} aria-valuetext={`${percent} %`}>
      <span style={{ width: `${Math.min(100, Math.max(0, percent))}%` }} />
    </div>
  );
}

export function MonthPicker({ month, last, onChange }: { month: string; last: string; onChange: (month: string) => void }) {
  return (
    <div className="month-picker">
      <button type="button" className="quiet" aria-label="Previous month" onClick={() => onChange(shifted(month, -1))}><Icon name="left" /></button>
      <span aria-live="polite">{monthName(month)}</span>
      <button type="button" className="quiet" aria-label="Next month" disabled={month >= last} onClick={() => onChange(shifted(month, 1))}><Icon name="right" /></button>
    </div>
  );
}

/** Whether the pointer is beside a window: its scroll bar is not. */
function isBeside(element: Element, { target, clientX, clientY }: MouseEvent): boolean {
  const { left, right, top, bottom } = element.getBoundingClientRect();
  return target === element && (clientX < left || clientX > right || clientY < top || clientY > bottom);
}

/** A window above the page, which the browser closes on Escape. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // The keyboard of a telephone would hide the half of it.
    if (matchMedia("(pointer: fine)").matches) element?.querySelector<HTMLElement>("input, select, textarea")?.focus();
    return () => element?.close();
  }, []);
  // Told late: by then a second effect, as StrictMode runs it, may have opened it again.
  const closed = (): void => void (dialog.current?.open || onClose());
  return (
    <dialog ref={dialog} aria-label={title} onClose={closed} onMouseDown={(event) => isBeside(event.currentTarget, event) && onClose()}>
      <header className="dialog-head">
        <h2>{title}</h2>
        <button type="button" className="quiet" aria-label="Close" onClick={onClose}><Icon name="close" /></button>
      </header>
      {children}
    </dialog>
  );
}
