/** Half a year of a household, the same every time but for the months, which end with this one. */

const CATEGORIES = [
  ["Salary", "income", "#2f8f6b"], ["Rent", "expense", "#48639c"], ["Groceries", "expense", "#e0a030"], ["Eating out", "expense", "#d0663c"],
  ["Transport", "expense", "#7a9e3b"], ["Utilities", "expense", "#6f8fa8"], ["Health", "expense", "#c2527e"], ["Fun", "expense", "#8d62b8"],
];
const BUDGETS = { Groceries: 480, "Eating out": 160, Transport: 120, Utilities: 190, Fun: 140, Health: 90 };
const HABITS = [
  ["Eating out", "Café Lumen", [4, 18], 6], ["Eating out", "Trattoria Nonna", [22, 64], 2], ["Groceries", "Corner market", [9, 38], 6],
  ["Groceries", "Weekly shop", [52, 96], 4], ["Transport", "Monthly pass", [49, 49], 1], ["Transport", "City bikes", [3, 9], 3],
  ["Utilities", "Power and light", [84, 112], 1], ["Utilities", "Internet", [39, 39], 1], ["Fun", "Cinema", [11, 26], 2], ["Fun", "Bookshop", [9, 42], 1],
  ["Health", "Pharmacy", [6, 31], 1],
];
const CONTACTS = [["Café Lumen", "shop"], ["Corner market", "shop"], ["Northwind GmbH", "employer"], ["Uncle Theo", "person"]];

/** A sequence of numbers from 0 to 1 that is the same every time. */
function numbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The writes that make the ledger, as the server takes them. */
export function ledger(today = new Date()) {
  const next = numbers(7);
  const writes = [];
  const make = (entity, values) => {
    const id = crypto.randomUUID();
    writes.push({ entity, id, action: "create", values, base: {} });
    return id;
  };
  const current = make("accounts", { name: "Everyday", kind: "checking", opening_balance: "1840.20", overdraft_limit: "1000.00" });
  const savings = make("accounts", { name: "Rainy days", kind: "savings", opening_balance: "6200.00" });
  const card = make("accounts", { name: "Credit card", kind: "credit", opening_balance: "-120.00", overdraft_limit: "2000.00" });
  make("accounts", { name: "Wallet", kind: "cash", opening_balance: "85.00" });
  const categories = Object.fromEntries(CATEGORIES.map(([name, kind, color]) => [name, make("categories", { name, kind, color })]));
  const contacts = Object.fromEntries(CONTACTS.map(([name, kind]) => [name, make("contacts", { name, kind, ...(kind === "person" ? { email: "theo@example.org", credit_limit: "300.00" } : {}) })]));
  const spend = (account_id, date, category, description, amount, contact) =>
    make("transactions", {
      account_id, date, description, amount: amount.toFixed(2), category_id: category === null ? null : categories[category],
      contact_id: contacts[contact ?? description] ?? null, cleared: date < dated(today, 0, today.getDate() - 3),
    });
  for (let back = 5; back >= 0; back -= 1) {
    const month = dated(today, -back, 1).slice(0, 7);
    const until = back === 0 ? today.getDate() : 28;
    const on = (day) => `${month}-${String(day).padStart(2, "0")}`;
    for (const [name, amount] of Object.entries(BUDGETS)) make("budgets", { category_id: categories[name], month, amount: amount.toFixed(2) });
    spend(current, on(1), "Rent", "Rent", -1_150);
    if (until >= 2) {
      spend(current, on(2), "Salary", "Salary", 2_700 + back * 10, "Northwind GmbH");
      spend(savings, on(2), "Salary", "Salary, put aside", 250, "Northwind GmbH");
    }
    for (const [category, description, [least, most], times] of HABITS) {
      for (let time = 0; time < times; time += 1) {
        const day = 1 + Math.floor(next() * 28);
        const amount = least + next() * (most - least);
        if (day <= until) spend(next() < 0.3 ? card : current, on(day), category, description, -amount);
      }
    }
  }
  return writes;
}

/** The day of a month `by` months from this one. */
const dated = (today, by, day) => new Date(Date.UTC(today.getFullYear(), today.getMonth() + by, day)).toISOString().slice(0, 10);

/** Writes to the server as a user, a hundred at a time. */
export async function send(server, token, writes) {
  for (let at = 0; at < writes.length; at += 100) {
    const transactions = [{ write_id: crypto.randomUUID(), writes: writes.slice(at, at + 100) }];
    const answer = await fetch(`${server.url}/api/writes`, {
      method: "POST", body: JSON.stringify({ transactions }),
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    });
    const told = await answer.json();
    const refused = answer.ok ? told.results.find(({ status }) => status !== "accepted") : told;
    if (refused) throw new Error(`the server did not take the ledger: ${JSON.stringify(refused.error)}`);
  }
}
