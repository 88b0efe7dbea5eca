import { useMemo, useState, type CSSProperties } from "react";
import { NOTHING, totalsByMonth, useBooks } from "../books.jsx";
import { cents, rounded, shown, signed } from "../money.js";
import { monthName, shifted, shortMonth, thisMonth } from "../months.js";
import { Card, Dot, Empty, MonthPicker, Page } from "../parts.jsx";
import { BudgetBar, useBudgetsOf } from "./budgets.jsx";

const MONTHS_SHOWN = 6;

export function Overview() {
  const books = useBooks();
  const [month, setMonth] = useState(thisMonth);
  const totals = useMemo(() => totalsByMonth(books.transactions), [books.transactions]);
  const budgets = useBudgetsOf(month);
  const now = totals.get(month) ?? NOTHING;
  const worth = books.accounts.reduce((sum, account) => sum + books.balance(account), 0);
  const spentOn = [...now.spentOn].sort(([, one], [, other]) => other - one);
  return (
    <Page title="Overview" action={<MonthPicker month={month} last={thisMonth()} onChange={setMonth} />}>
      <div className="figures">
        <Figure label="All accounts" value={shown(worth)} note={`${books.accounts.length} accounts`} />
        <Figure label={`In, ${monthName(month)}`} value={shown(now.income)} tone="good" />
        <Figure label="Out" value={shown(now.spent)} />
        <Figure label="Left" value={signed(now.income - now.spent)} tone={now.income < now.spent ? "bad" : "good"} />
      </div>
      <div className="columns">
        <Card title="Six months" aside={<span className="key"><span className="in">In</span><span className="out">Out</span></span>}><Months totals={totals} last={month} /></Card>
        <Card title="Where it went">
          {spentOn.length === 0 ? <Empty>Nothing was spent in {monthName(month)}.</Empty> : (
            <>
              <div className="stack" aria-hidden="true">
                {spentOn.map(([id, value]) => (
                  <span key={id} style={{ flexGrow: value, "--dot": books.category(id)?.color ?? "var(--line-strong)" } as CSSProperties} />
                ))}
              </div>
              <ul className="legend">
                {spentOn.slice(0, 7).map(([id, value]) => (
                  <li key={id}><Dot color={books.category(id)?.color} /><span>{books.category(id)?.name ?? "No category"}</span><b className="money">{shown(value)}</b></li>
                ))}
              </ul>
            </>
          )}
        </Card>
        <Card title="Budgets" aside={<a href="#/budgets">All</a>}>
          {budgets.length === 0 ? <Empty>No budget for {monthName(month)}.</Empty> : budgets.slice(0, 5).map((line) => <BudgetBar key={line.budget.id} line={line} />)}
        </Card>
        <Card title="Latest" aside={<a href="#/transactions">All</a>}>
          {books.transactions.length === 0 ? <Empty>{books.isLoading ? "Reading…" : "No transactions yet."}</Empty> : (
            <ul className="legend">
              {books.transactions.slice(0, 6).map((row) => (
                <li key={row.id}><Dot color={books.category(row.category_id)?.color} /><span>{row.description}</span><b className={`money ${cents(row.amount) > 0 ? "good" : ""}`}>{signed(cents(row.amount))}</b></li>
              ))}
            </ul>
          )}
        </Card>
      </div>
    </Page>
  );
}

const Figure = ({ label, value, note, tone = "" }: { label: string; value: string; note?: string; tone?: string }) => (
  <div className="figure"><span>{label}</span><b className={`money ${tone}`}>{value}</b>{note ? <small>{note}</small> : null}</div>
);

/** What came in and went out, side by side. */
function Months({ totals, last }: { totals: ReturnType<typeof totalsByMonth>; last: string }) {
  const months = Array.from({ length: MONTHS_SHOWN }, (_, at) => shifted(last, at - MONTHS_SHOWN + 1));
  const most = Math.max(1, ...months.map((month) => Math.max(totals.get(month)?.income ?? 0, totals.get(month)?.spent ?? 0)));
  return (
    <div className="months">
      {months.map((month) => {
        const { income, spent } = totals.get(month) ?? NOTHING;
        return (
          <div key={month} className="month" title={`${monthName(month)}: in ${shown(income)}, out ${shown(spent)}`}>
            <div className="pair">
              <span className="in" style={{ height: `${(income / most) * 100}%` }} />
              <span className="out" style={{ height: `${(spent / most) * 100}%` }} />
            </div>
            <span>{shortMonth(month)}</span>
            <small className={`money ${income < spent ? "bad" : ""}`}>{rounded(income - spent)}</small>
          </div>
        );
      })}
    </div>
  );
}
