/** One form for every entity: which controls it shows follows from the fields, and from what the user may write. */
import { useEffect, useRef, useState, type FormEvent, type ReactNode } from "react";
import { WriteFailure, type EntityMeta } from "@syncline/client";
import { useCan, useRejectedWrites, type Mutation } from "@syncline/client/react";
import { useBooks } from "./books.jsx";
import { fieldsOf, problemOf, readable, reasonOf, type FieldSpec, type Issue } from "./fields.js";
import { database } from "./generated/index.js";
import { Icon } from "./icons.jsx";
import { tell } from "./notices.js";
import { Dialog } from "./parts.jsx";

type Values = Record<string, unknown>;
interface Schema { safeParse: (values: unknown) => { success: boolean; error?: { issues: readonly Issue[] } | undefined } }
type RowLike = Values & { id: string; _role?: "viewer" | "editor" | "owner" | null };

interface Props {
  /** `transaction`, in the titles. */
  readonly noun: string;
  readonly meta: EntityMeta;
  /** The record as it is now. Undefined: a new one, or one that is gone. */
  readonly row: RowLike | undefined;
  /** What a new one has where nothing is written: what it comes from may still be on its way when the form opens. */
  readonly initial?: Values;
  readonly schemas: { readonly create: Schema; readonly update: Schema };
  readonly create: Mutation<never, unknown>;
  readonly update: Mutation<never, unknown>;
  readonly remove: Mutation<string, void>;
  /** `asked`: what somebody else has changed while it was open is not written over, but asked about under Changes. */
  readonly conflicts?: "asked" | "told";
  readonly onMade?: (values: Values) => void;
  readonly onClose: () => void;
}

export function RecordDialog({ noun, meta, row, initial = {}, schemas, create, update, remove, conflicts = "told", onMade, onClose }: Props) {
  const books = useBooks();
  const { user } = books;
  const fields = fieldsOf(meta.name, books);
  // Others may change the record while it is open: what is written is what was changed here, of the record as it was then.
  const [opened] = useState(row);
  const [edits, setEdits] = useState<Values>({});
  // What has once been shown stays, whatever others change meanwhile.
  const begun = useRef<Values>({});
  for (const [name, value] of Object.entries(initial)) begun.current[name] ??= value;
  const [problems, setProblems] = useState<Record<string, string>>({});
  const [failure, setFailure] = useState<string>();
  const [leaving, setLeaving] = useState<"no" | "asked" | "sure">("no");
  // A write may end when its form is gone and another is open, which is not its to close.
  const isShown = useRef(false);
  useEffect(() => {
    isShown.current = true;
    return () => void (isShown.current = false);
  }, []);
  const { writes: refused } = useRejectedWrites(database());
  const isBusy = create.isPending || update.isPending || remove.isPending;
  const isGone = opened !== undefined && row === undefined && leaving !== "sure";
  const of = row ?? opened ?? { id: "", _role: user.role };
  const mayRemove = useCan(meta, { _role: of._role ?? user.role }, fields[0]!.name) && (of._role ?? user.role) !== "viewer";
  const valueOf = (name: string): unknown => (name in edits ? edits[name] : (of as Values)[name] ?? (opened ? null : begun.current[name] ?? null));
  const isEdited = (name: string): boolean => name in edits && edits[name] !== (opened?.[name] ?? null);

  const done = (what: string, work: Promise<unknown>, end = onClose): void => {
    setFailure(undefined);
    work.then(() => {
      if (isShown.current) end();
    }, (error: unknown) => {
      setLeaving("no");
      setFailure(told(error, fields));
      if (!isShown.current && !isKept(error)) tell({ title: `${what} ${noun}`, reason: told(error, fields) });
    });
  };
  const save = (event: FormEvent): void => {
    event.preventDefault();
    if (isGone) return;
    const changed = Object.fromEntries(opened
      ? Object.entries(edits).filter(([name]) => isEdited(name))
      : Object.entries({ ...begun.current, ...edits }).filter(([, value]) => value !== null));
    const judged = (opened ? schemas.update : schemas.create).safeParse(changed);
    const issues = judged.success ? [] : (judged.error?.issues ?? []);
    const problemsOf = fields.flatMap((field) => issues.filter(({ path }) => path[0] === field.name).map((issue) => [field.name, problemOf(issue, field, changed[field.name])]));
    setProblems(Object.fromEntries(problemsOf));
    if (!judged.success) return;
    if (!opened) {
      done("The new", create.mutateAsync(changed as never), () => {
        onMade?.(changed);
        onClose();
      });
    }
    else if (Object.keys(changed).length === 0) onClose();
    else done("The change of the", update.mutateAsync({ key: opened.id, changes: changed, ...(conflicts === "asked" ? { base: opened } : {}) } as never));
  };
  const leave = (): void => {
    setLeaving("sure");
    done("Deleting the", remove.mutateAsync(of.id));
  };

  return (
    <Dialog title={`${opened ? "Edit" : "New"} ${noun}`} onClose={onClose}>
      <form onSubmit={save} noValidate>
        <div className="fields">
          {fields.map((field) => (
            <Field
              key={field.name} field={field} meta={meta} row={of} isNew={!opened} value={valueOf(field.name)} problem={problems[field.name]}
              meanwhile={isEdited(field.name) && opened && of[field.name] !== opened[field.name] ? readable(field, of[field.name]) : undefined}
              onChange={(value) => setEdits((before) => ({ ...before, [field.name]: value }))}
            />
          ))}
        </div>
        {isGone ? <p className="alert" role="alert"><Icon name="warning" />{gone(noun, opened, refused.some((write) => write.operation === "insert" && write.entity === meta.name && write.key === opened.id))}</p> : null}
        {failure === undefined ? null : <p className="alert" role="alert"><Icon name="warning" />{failure}</p>}
        <footer className="dialog-foot">
          {opened && !isGone && mayRemove ? (
            leaving === "no"
              ? <button type="button" className="button plain" disabled={isBusy} onClick={() => setLeaving("asked")}>Delete</button>
              : <button type="button" className="button danger" disabled={isBusy} onClick={leave}>Really delete</button>
          ) : null}
          <span className="grow" />
          {isBusy && meta.mode === "confirmed" ? <span className="waiting" role="status"><span className="spinner" aria-hidden="true" />Waiting for the server…</span> : null}
          {isGone
            ? <button type="button" className="button" onClick={onClose}>Close</button>
            : <button type="submit" className="button" disabled={isBusy}>{opened ? "Save" : "Add"}</button>}
        </footer>
      </form>
    </Dialog>
  );
}

/** Why a record is not there any more while its form is open. */
function gone(noun: string, opened: RowLike, isRefused: boolean): string {
  if (isRefused) return `This ${noun} is gone: the server did not take it. What was written is kept under Changes.`;
  // What was not with the server yet may have been refused, which is read a moment later.
  return opened["_has_local_changes"] === true ? `This ${noun} is gone.` : `This ${noun} is gone: it has been deleted meanwhile.`;
}

/** Whether a write that failed is kept among the refused ones, of which the page tells in any case. */
const isKept = (error: unknown): boolean => error instanceof WriteFailure && !["offline", "undone", "not_found"].includes(error.code);

/** Why a write did not come about, for a person. */
function told(error: unknown, fields: readonly FieldSpec[]): string {
  if (!(error instanceof WriteFailure)) return error instanceof Error ? error.message : String(error);
  if (error.code === "offline") return "There is no connection: nothing was changed. Try again when you are online.";
  if (error.code === "timed_out") return "The server did not answer in time. If it has the change after all, you will see it here.";
  if (error.code === "not_found") return "It is no longer there: somebody has deleted it.";
  if (error.code === "undone") return "A later change took this one back before it was sent.";
  if (error.code === "lost") return "Somebody else has changed it meanwhile, and theirs was kept: yours waits under Changes.";
  return `The server refused it. ${reasonOf(error.error, fields)}`;
}

interface FieldProps {
  readonly field: FieldSpec;
  readonly meta: EntityMeta;
  readonly row: RowLike;
  readonly isNew: boolean;
  readonly value: unknown;
  readonly problem: string | undefined;
  /** What somebody else has made of it while it was written here. */
  readonly meanwhile: string | undefined;
  readonly onChange: (value: unknown) => void;
}

function Field({ field, meta, row, isNew, value, problem, meanwhile, onChange }: FieldProps) {
  const { user } = useBooks();
  const mayWrite = useCan(meta, { _role: row._role ?? user.role }, field.name);
  const isPrivate = meta.fields.some(({ name, excluded }) => name === field.name && excluded);
  if (!mayWrite && isNew) return null;
  const note = !mayWrite ? <small className="tag"><Icon name="lock" />read only</small> : isPrivate ? <small className="tag"><Icon name="device" />only on this device</small> : null;
  if (!mayWrite) {
    return <div className="field locked"><span className="label">{field.label}{note}</span><output>{readable(field, value)}</output></div>;
  }
  const label = <span className="label">{field.label}{note}</span>;
  const below: ReactNode = problem ? <span className="problem" role="alert">{problem}</span>
    : meanwhile ? <span className="meanwhile" role="status">{`Changed meanwhile, to ${meanwhile}`}</span> : field.hint ? <span className="hint">{field.hint}</span> : null;
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
  // Of an amount that is not there yet; one that is tells it itself.
  const [chosen, setChosen] = useState(false);
  const isIncome = text === "" ? chosen : !text.startsWith("-");
  const amount = text.replace(/^-/, "");
  const tell = (income: boolean, given: string): void => {
    setChosen(income);
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
