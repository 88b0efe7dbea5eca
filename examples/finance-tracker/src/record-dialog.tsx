/** One form for every entity: which controls it shows follows from the fields, and from what the user may write. */
import { useState, type FormEvent, type ReactNode } from "react";
import { WriteFailure, type EntityMeta } from "@syncline/client";
import { useCan, type Mutation } from "@syncline/client/react";
import { useBooks } from "./books.jsx";
import { Icon } from "./icons.jsx";
import { decimal, cents, shown } from "./money.js";
import { Dialog } from "./parts.jsx";

export interface FieldSpec {
  readonly name: string;
  readonly label: string;
  /** `flow` is money that came in or went out. */
  readonly kind: "text" | "long" | "money" | "flow" | "date" | "month" | "choice" | "check" | "colour";
  readonly options?: readonly { readonly value: string; readonly label: string }[];
  readonly hint?: string;
}

type Values = Record<string, unknown>;
interface Schema { safeParse: (values: unknown) => { success: boolean; error?: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } | undefined } }
type RowLike = Values & { id: string; _role?: "viewer" | "editor" | "owner" | null };

interface Props {
  /** `transaction`, in the titles. */
  readonly noun: string;
  readonly meta: EntityMeta;
  readonly fields: readonly FieldSpec[];
  /** Undefined: a new one. */
  readonly row: RowLike | undefined;
  /** What a new one begins with. */
  readonly initial?: Values;
  readonly schemas: { readonly create: Schema; readonly update: Schema };
  readonly create: Mutation<never, unknown>;
  readonly update: Mutation<never, unknown>;
  readonly remove: Mutation<string, void>;
  readonly onClose: () => void;
}

export function RecordDialog({ noun, meta, fields, row, initial = {}, schemas, create, update, remove, onClose }: Props) {
  const { user } = useBooks();
  const [values, setValues] = useState<Values>(() => Object.fromEntries(fields.map(({ name }) => [name, (row ?? initial)[name] ?? null])));
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string>();
  const [isLeaving, setLeaving] = useState(false);
  const isBusy = create.isPending || update.isPending || remove.isPending;
  const of = row ?? { id: "", _role: user.role };
  const mayRemove = useCan(meta, { _role: of._role ?? user.role }, fields[0]!.name) && (of._role ?? user.role) !== "viewer";

  const done = (work: Promise<unknown>): void => {
    setFailure(undefined);
    work.then(onClose, (error: unknown) => setFailure(told(error)));
  };
  const save = (event: FormEvent): void => {
    event.preventDefault();
    const changed = Object.fromEntries(Object.entries(values).filter(([name, value]) => (row ? value !== (row[name] ?? null) : value !== null)));
    const judged = (row ? schemas.update : schemas.create).safeParse(changed);
    const issues = judged.success ? [] : (judged.error?.issues ?? []);
    setProblems(Object.fromEntries(issues.map(({ path, message }) => [String(path[0]), message === "Invalid input: expected string, received undefined" ? "is needed" : message])));
    if (!judged.success) return;
    done(row ? update.mutateAsync({ key: row.id, changes: changed } as never) : create.mutateAsync(changed as never));
  };

  return (
    <Dialog title={`${row ? "Edit" : "New"} ${noun}`} onClose={onClose}>
      <form onSubmit={save} noValidate>
        <div className="fields">
          {fields.map((field) => (
            <Field
              key={field.name} field={field} meta={meta} row={of} isNew={!row} value={values[field.name]} problem={problems[field.name]}
              onChange={(value) => setValues((before) => ({ ...before, [field.name]: value }))}
            />
          ))}
        </div>
        {failure === undefined ? null : <p className="alert" role="alert"><Icon name="warning" />{failure}</p>}
        <footer className="dialog-foot">
          {row && mayRemove ? (
            isLeaving
              ? <button type="button" className="button danger" disabled={isBusy} onClick={() => done(remove.mutateAsync(row.id))}>Really delete</button>
              : <button type="button" className="button plain" disabled={isBusy} onClick={() => setLeaving(true)}>Delete</button>
          ) : null}
          <span className="grow" />
          {isBusy && meta.mode === "confirmed" ? <span className="waiting" role="status"><span className="spinner" aria-hidden="true" />Waiting for the server…</span> : null}
          <button type="submit" className="button" disabled={isBusy}>{row ? "Save" : "Add"}</button>
        </footer>
      </form>
    </Dialog>
  );
}

/** Why a write did not come about, for a person. */
function told(error: unknown): string {
  if (!(error instanceof WriteFailure)) return error instanceof Error ? error.message : String(error);
  if (error.code === "offline") return "There is no connection: nothing was changed. Try again when you are online.";
  if (error.code === "timed_out") return "The server did not answer in time. If it has the change after all, you will see it here.";
  if (error.code === "not_found") return "It is no longer there: somebody has deleted it.";
  if (error.code === "undone") return "A later change took this one back before it was sent.";
  const fields = error.error.fields?.map(({ field, message }) => `${field} ${message}`).join("; ");
  return `The server refused it: ${fields ?? error.message}.`;
}

interface FieldProps {
  readonly field: FieldSpec;
  readonly meta: EntityMeta;
  readonly row: RowLike;
  readonly isNew: boolean;
  readonly value: unknown;
  readonly problem: string | undefined;
  readonly onChange: (value: unknown) => void;
}

function Field({ field, meta, row, isNew, value, problem, onChange }: FieldProps) {
  const { user } = useBooks();
  const mayWrite = useCan(meta, { _role: row._role ?? user.role }, field.name);
  const isPrivate = meta.fields.some(({ name, excluded }) => name === field.name && excluded);
  if (!mayWrite && isNew) return null;
  const note = !mayWrite ? <small className="tag"><Icon name="lock" />read only</small> : isPrivate ? <small className="tag"><Icon name="device" />only on this device</small> : null;
  if (!mayWrite) {
    return <div className="field locked"><span className="label">{field.label}{note}</span><output>{readable(field, value)}</output></div>;
  }
  const label = <span className="label">{field.label}{note}</span>;
  const below: ReactNode = problem ? <span className="problem" role="alert">{problem}</span> : field.hint ? <span className="hint">{field.hint}</span> : null;
  if (field.kind === "check") {
    return <label className="field check"><input type="checkbox" checked={value === true} onChange={(event) => onChange(event.target.checked)} />{label}{below}</label>;
  }
  if (field.kind === "flow") return <Flow label={field.label} value={value} below={below} onChange={onChange} />;
  return <label className="field">{label}<Control field={field} value={value} onChange={onChange} />{below}</label>;
}

function Control({ field, value, onChange }: { field: FieldSpec; value: unknown; onChange: (value: unknown) => void }) {
  const text = (value as string | null) ?? "";
  const see = (given: string): void => onChange(given === "" ? null : given);
  switch (field.kind) {
    case "choice":
      return (
        <select value={text} onChange={(event) => see(event.target.value)}>
          <option value="">–</option>
          {field.options?.map((option) => <option key={option.value} value={option.value}>{option.label}</option>)}
        </select>
      );
    case "long":
      return <textarea rows={3} value={text} onChange={(event) => see(event.target.value)} />;
    case "money":
      return <input inputMode="decimal" placeholder="0.00" value={text} onChange={(event) => see(event.target.value.trim().replace(",", "."))} />;
    case "colour":
      return <input type="color" value={text || "#888888"} onChange={(event) => see(event.target.value)} />;
    case "date":
    case "month":
    case "text":
      return <input type={field.kind} value={text} onChange={(event) => see(event.target.value)} />;
    case "check":
    case "flow":
      return null;
  }
}

/** An amount above zero, and whether it came in or went out. */
function Flow({ label, value, below, onChange }: { label: string; value: unknown; below: ReactNode; onChange: (value: unknown) => void }) {
  const text = (value as string | null) ?? "";
  const [isIncome, setIncome] = useState(text !== "" && !text.startsWith("-"));
  const amount = text.replace(/^-/, "");
  const tell = (income: boolean, given: string): void => {
    setIncome(income);
    onChange(given === "" ? null : income ? given : `-${given}`);
  };
  return (
    <div className="field">
      <span className="label" id="flow">{label}</span>
      <div className="flow">
        <div className="segments" role="group" aria-label="Direction">
          <button type="button" aria-pressed={!isIncome} onClick={() => tell(false, amount)}>Spent</button>
          <button type="button" aria-pressed={isIncome} onClick={() => tell(true, amount)}>Received</button>
        </div>
        <input aria-labelledby="flow" inputMode="decimal" placeholder="0.00" value={amount} onChange={(event) => tell(isIncome, event.target.value.trim().replace(",", ".").replace(/^-/, ""))} />
      </div>
      {below}
    </div>
  );
}

function readable(field: FieldSpec, value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  if (field.kind === "money" || field.kind === "flow") return shown(cents(decimal(cents(value as string))));
  if (field.kind === "check") return value === true ? "yes" : "no";
  return field.options?.find((option) => option.value === value)?.label ?? String(value);
}
