import { useMemo, useState } from "react";
import { NOTHING, totalsByMonth, useBooks } from "../books.jsx";
import {
  budgetsCreateSchema, budgetsMeta, budgetsUpdateSchema, useCanBudget, useCreateBudget, useDeleteBudget, useUpdateBudget, type Budget,
} from "../generated/index.js";
import { Icon } from "../icons.jsx";
import { cents, shown, type Cents } from "../money.js";
import { monthName, shifted, thisMonth } from "../months.js";
import { Bar, Card, Dot, Empty, MonthPicker, Page, Unsent } from "../parts.jsx";
import { RecordDialog } from "../record-dialog.jsx";

/** How far ahead budgets are made. */
const PLANNED_MONTHS = 12;

interface BudgetLine { readonly budget: Budget; readonly name: string; readonly color: string | null | undefined; readonly limit: Cents; readonly spent: Cents }

/** The budgets of a month, the fullest first. */
export function useBudgetsOf(month: string): readonly BudgetLine[] {
  const { budgets, category, transactions } = useBooks();
  return useMemo(() => {
    const { spentOn } = totalsByMonth(transactions.filter(({ date }) => date.startsWith(month))).get(month) ?? NOTHING;
    return budgets.filter((budget) => budget.month === month).map((budget): BudgetLine => ({
      budget, limit: cents(budget.amount), spent: spentOn.get(budget.category_id) ?? 0,
      name: category(budget.category_id)?.name ?? "No category", color: category(budget.category_id)?.color,
    })).sort((one, other) => other.spent / (other.limit || 1) - one.spent / (one.limit || 1) || one.name.localeCompare(other.name));
  }, [budgets, category, transactions, month]);
}

export function BudgetBar({ line: { budget, name, color, limit, spent }, onEdit }: { line: BudgetLine; onEdit?: () => void }) {
  const mayEdit = useCanBudget(budget, "amount");
  const left = limit - spent;
  return (
    <div className="budget" data-id={budget.id}>
      <div className="budget-head">
        <Dot color={color} /><span>{name}</span><Unsent row={budget} /><span className="grow" />
        <span className="money"><b>{shown(spent)}</b> of {shown(limit)}</span>
        {onEdit && mayEdit ? <button type="button" className="link" aria-label={`Edit budget of ${name}`} onClick={onEdit}>Edit</button> : null}
      </div>
      <Bar part={limit === 0 ? 0 : spent / limit} tone={left < 0 ? "over" : left < limit * 0.1 ? "near" : "fine"} label={`Budget of ${name}`} />
      <small className={left < 0 ? "bad" : ""}>{left < 0 ? `${shown(-left)} over` : `${shown(left)} left`}{onEdit && budget.note ? ` · ${budget.note}` : ""}</small>
    </div>
  );
}

export function Budgets() {
  const books = useBooks();
  const [month, setMonth] = useState(thisMonth);
  const [edited, setEdited] = useState<string | "new">();
  const lines = useBudgetsOf(month);
  const mayAdd = useCanBudget(undefined, "amount");
  const limit = lines.reduce((sum, line) => sum + line.limit, 0);
  const spent = lines.reduce((sum, line) => sum + line.spent, 0);
  return (
    <Page title="Budgets" action={<>
      <MonthPicker month={month} last={shifted(thisMonth(), PLANNED_MONTHS)} onChange={setMonth} />
      {mayAdd ? <button type="button" className="button" onClick={() => setEdited("new")}><Icon name="plus" />New budget</button> : null}
    </>}>
      <Card title={monthName(month)} aside={lines.length === 0 ? null : <span className="money">{shown(spent)} of {shown(limit)}</span>}>
        {lines.length === 0 ? <Empty>{books.isLoading ? "Reading…" : "Nothing is planned for this month."}</Empty> : null}
        {lines.map((line) => <BudgetBar key={line.budget.id} line={line} onEdit={() => setEdited(line.budget.id)} />)}
      </Card>
      {edited === undefined ? null : <BudgetDialog row={books.budgets.find(({ id }) => id === edited)} month={month} onMade={setMonth} onClose={() => setEdited(undefined)} />}
    </Page>
  );
}

function BudgetDialog({ row, month, onMade, onClose }: { row: Budget | undefined; month: string; onMade: (month: string) => void; onClose: () => void }) {
  return (
    <RecordDialog
      noun="budget" meta={budgetsMeta} row={row} conflicts="asked" onClose={onClose} initial={{ month }} onMade={({ month }) => onMade(month as string)}
      schemas={{ create: budgetsCreateSchema, update: budgetsUpdateSchema }}
      create={useCreateBudget()} update={useUpdateBudget()} remove={useDeleteBudget()}
    />
  );
}
