/** The example in real browsers, against a real server: what its user is promised, step by step. */
import assert from "node:assert/strict";
import { after, afterEach, before, test as nodeTest } from "node:test";
import { send } from "../scripts/ledger.mjs";
import { openStage, until } from "./stage.mjs";

/** A test, or what is around all of them, that has not ended by then never will: longer than any wait in it. */
const TIMEOUT_MS = 1_200_000;
const test = (name, run) => nodeTest(name, { timeout: TIMEOUT_MS }, run);

let stage;
let ann;
let ben;
let vera;

before(async () => {
  stage = await openStage();
  [ann, ben] = await Promise.all([stage.person("ann"), stage.person("ben")]);
  for (const { page } of [ann, ben]) {
    await page.locator(".legend li").first().waitFor();
    await page.evaluate(() => navigator.serviceWorker.ready);
  }
}, { timeout: TIMEOUT_MS });
after(() => stage?.close(), { timeout: TIMEOUT_MS });
afterEach(async () => {
  // What a failed test has left must not fail the next one.
  for (const { context, page } of [ann, ben]) {
    await context.unrouteAll({ behavior: "ignoreErrors" });
    await context.setOffline(false);
    if (!page.isClosed()) await page.keyboard.press("Escape");
  }
  assert.deepEqual([ann, ben].flatMap(({ failures }) => failures.splice(0)), []);
}, { timeout: TIMEOUT_MS });

/** A record as the server has it. */
async function onServer(entity, is) {
  const page = new URL(`${stage.server.url}/api/${entity}?limit=1000`);
  for (;;) {
    const answer = await fetch(page, { headers: { authorization: `Bearer ${stage.token("ann")}` } });
    assert.ok(answer.ok, `${answer.status} of ${page}`);
    const found = (await answer.json()).find(is);
    const next = answer.headers.get("syncline-next-cursor");
    if (found || !next) return found;
    page.searchParams.set("cursor", next);
  }
}

test("an optimistic edit is shown at once, and then in the other browser", async () => {
  await Promise.all([ann.go("Transactions"), ben.go("Transactions")]);
  const release = await ann.holdWrites();
  await ann.fill("New transaction", { "What for": "Bread and olives", Amount: "12.40", Category: "Groceries" });
  await ann.isSaved();
  await ann.row("Bread and olives").getByText("not sent yet").waitFor();
  assert.equal(await onServer("transactions", ({ description }) => description === "Bread and olives"), undefined);
  await ann.picture("unsent");
  await release();
  await ann.row("Bread and olives").getByText("not sent yet").waitFor({ state: "detached" });
  await ben.sees("Bread and olives");
  assert.match(await ben.row("Bread and olives").innerText(), /−€12\.40/);
});

test("edits made offline outlive a reload, and both browsers come to show the same", async () => {
  await Promise.all([ann.go("Transactions"), ben.go("Transactions")]);
  await ann.goOffline();
  await ann.fill("Edit Bread and olives", { "What for": "Bread, olives and wine" });
  await ann.isSaved();
  await ann.fill("New transaction", { "What for": "Ferry ticket", Amount: "31" });
  await ann.isSaved();
  await ann.page.reload();
  await ann.hasStatus("· 2 unsent");
  await ann.sees("Bread, olives and wine");
  await ann.row("Ferry ticket").getByText("not sent yet").waitFor();
  await ann.picture("offline");
  await ben.fill("Edit Bread and olives", { Amount: "14.40" });
  await ben.isSaved();
  await ann.goOnline();
  for (const { row, sees } of [ann, ben]) {
    await sees("Ferry ticket");
    await until("both edits are in one row", async () => /−€14\.40/.test(await row("Bread, olives and wine").innerText().catch(() => "")));
  }
  await Promise.all([ann.isDrained("Ferry ticket"), ben.isDrained("14.40")]);
  // What the server has accepted stays marked until its row has come back.
  await Promise.all([ann, ben].map(({ page }) => page.getByText("not sent yet").first().waitFor({ state: "detached" })));
  await until("both show the same", async () => {
    const [one, other] = await Promise.all([ann, ben].map(({ page }) => page.locator("main").innerText()));
    return one === other;
  });
});

test("what others change while a form is open is shown in it, and not written over", async () => {
  await Promise.all([ann.go("Transactions"), ben.go("Transactions")]);
  const form = ann.page.getByRole("dialog");
  await ann.page.getByRole("button", { name: "Edit Bread, olives and wine", exact: true }).click();
  await form.getByLabel("What for").fill("Bread and wine");
  await ben.fill("Edit Bread, olives and wine", { "What for": "Bread, wine", Amount: "15.40", Category: "Fun" });
  await ben.isSaved();
  await until("the server has his", () => onServer("transactions", ({ description }) => description === "Bread, wine"));
  await form.getByText("Changed meanwhile, to Bread, wine").waitFor();
  assert.equal(await form.getByLabel("Amount").inputValue(), "15.40");
  await form.getByRole("button", { name: "Save" }).click();
  await ann.isSaved();
  await ben.sees("Bread and wine");
  const stored = await onServer("transactions", ({ description }) => description === "Bread and wine");
  assert.equal(stored.amount, "-15.40", "she has not touched the amount");
});

test("a record that is deleted while its form is open is gone, and not made anew", async () => {
  await Promise.all([ann.go("Transactions"), ben.go("Transactions")]);
  const form = ann.page.getByRole("dialog");
  await ann.page.getByRole("button", { name: "Edit Bread and wine", exact: true }).click();
  await form.getByLabel("What for").fill("Bread again");
  await ben.page.getByRole("button", { name: "Edit Bread and wine", exact: true }).click();
  await ben.page.getByRole("button", { name: "Delete", exact: true }).click();
  await ben.page.getByRole("button", { name: "Really delete" }).click();
  await ben.isSaved();
  await ann.seesNot("Bread and wine");
  await form.getByText("This transaction is gone").waitFor();
  await ann.picture("gone");
  await form.getByLabel("What for").press("Enter");
  assert.equal(await form.getByRole("button", { name: /^(Add|Save)$/ }).count(), 0);
  await form.getByRole("button", { name: "Close" }).last().click();
  await ann.isSaved();
  // What is written after it is sent after it.
  await ann.fill("New transaction", { "What for": "Olive tree", Amount: "20" });
  await ann.isDrained("Olive tree");
  assert.equal(await onServer("transactions", ({ description }) => description.startsWith("Bread")), undefined);
});

test("a form says in words what is wrong in it", async () => {
  await ann.go("Transactions");
  const form = ann.page.getByRole("dialog");
  await ann.fill("New transaction", { Amount: "12.x" });
  await form.locator(".field").filter({ hasText: "What for" }).getByText("This is needed").waitFor();
  await form.getByText("An amount, such as 12.50").waitFor();
  assert.doesNotMatch(await form.innerText(), /Invalid|pattern|expected/);
  await ann.picture("problems");
});

test("a budget that is made for another month is shown there", async () => {
  await ann.go("Budgets");
  const now = new Date();
  const month = new Date(Date.UTC(now.getFullYear(), now.getMonth() + 2, 1));
  await ann.fill("New budget", { Category: "Rent", Month: month.toISOString().slice(0, 7), "At most": "1200.00" });
  await ann.isSaved();
  await ann.sees("€1,200.00");
  await ann.page.getByRole("heading", { name: month.toLocaleDateString("en-IE", { month: "long", year: "numeric", timeZone: "UTC" }) }).waitFor();
});

test("a refused write is rolled back, with its reason in reach", async () => {
  await ann.go("Categories");
  const release = await ann.holdWrites();
  await ann.fill("Edit Fun", { Name: "Health" });
  await ann.isSaved();
  await until("it is shown at once", async () => (await ann.page.locator("[data-id]").filter({ hasText: "Health" }).count()) === 2);
  await release();
  await ann.sees("Fun");
  const toast = ann.page.getByRole("alert").filter({ hasText: "A change was not taken" });
  await toast.waitFor();
  await ann.picture("refused");
  await toast.getByRole("link", { name: "Look" }).click();
  const refusal = ann.page.getByRole("article", { name: "Refused categories" });
  await refusal.getByText("Health").first().waitFor();
  assert.equal(await refusal.locator(".reason").innerText(), "Name: another record has this value.");
  await ann.picture("refused-reason");
  await ann.go("Categories");
  assert.equal(await toast.count(), 0, "it was looked at");
  await ann.go("Changes");
  await refusal.getByRole("button", { name: "Discard" }).click();
  await refusal.waitFor({ state: "detached" });
  assert.equal((await onServer("categories", ({ name }) => name === "Fun"))?.name, "Fun");
});

test("a confirmed write shows nothing that the server has not accepted, and offline it ends with that word", async () => {
  await ann.go("Accounts");
  const release = await ann.holdWrites();
  await ann.fill("New account", { Name: "Holiday fund", Kind: "Savings" });
  await ann.page.getByText("Waiting for the server…").waitFor();
  assert.equal(await ann.row("Holiday fund").count(), 0);
  await ann.picture("waiting");
  await release();
  await ann.isSaved();
  await ann.sees("Holiday fund");

  await ann.goOffline();
  await ann.fill("Edit Holiday fund", { Name: "Yacht fund" });
  await ann.page.getByRole("dialog").getByText("nothing was changed").waitFor();
  assert.equal(await ann.row("Yacht fund").count(), 0);
  await ann.picture("confirmed-offline");
  await ann.page.keyboard.press("Escape");
  await ann.isSaved();
  await ann.goOnline();
  // What is written after it is sent after it.
  await ann.fill("Edit Holiday fund", { Name: "Summer fund" });
  await ann.isSaved();
  await until("the server has the next one", () => onServer("accounts", ({ name }) => name === "Summer fund"));
  const sent = ann.sent.filter(({ url, body, status }) => url.endsWith("/api/writes") && body.includes("Yacht fund") && status !== undefined);
  assert.deepEqual(sent, [], "it was taken back for good");
});

test("a form that was left while its write waits closes no other, and what came of it is told", async () => {
  await ann.go("Accounts");
  const form = ann.page.getByRole("dialog");
  const openFor = async (opener, written) => {
    await ann.page.getByRole("button", { name: opener, exact: true }).click();
    await form.getByLabel("Name").fill(written);
  };
  const release = await ann.holdWrites();
  await ann.fill("New account", { Name: "Boat fund", Kind: "Savings" });
  await form.getByText("Waiting for the server…").waitFor();
  await ann.page.keyboard.press("Escape");
  await ann.isSaved();
  await openFor("Edit Wallet", "Purse");
  await release();
  await ann.sees("Boat fund");
  await ann.isDrained("Boat fund");
  await ann.picture("left");
  // What comes later is read later: by then the page knows the end of the first.
  await send(stage.server, stage.token("ann"), [{ entity: "accounts", id: crypto.randomUUID(), action: "create", base: {}, values: { name: "Late fund", kind: "savings" } }]);
  await ann.sees("Late fund");
  assert.equal(await form.getByLabel("Name").inputValue(), "Purse");
  await ann.page.keyboard.press("Escape");
  await ann.isSaved();

  await ann.goOffline();
  await openFor("Edit Boat fund", "Raft fund");
  // Saved and left at once: without a connection it fails within seconds.
  await form.evaluate((dialog) => {
    dialog.querySelector("[type=submit]").click();
    dialog.close();
  });
  await ann.isSaved();
  await openFor("Edit Wallet", "Purse");
  const toast = ann.page.getByRole("alert").filter({ hasText: "The change of the account came to nothing" });
  await toast.getByText("nothing was changed").waitFor();
  assert.equal(await form.getByLabel("Name").inputValue(), "Purse");
  await ann.picture("left-offline");
  await ann.page.keyboard.press("Escape");
  await ann.isSaved();
  await toast.getByRole("button", { name: "Dismiss" }).click();
  await toast.waitFor({ state: "detached" });
  await ann.sees("Boat fund");
  await ann.goOnline();
});

test("a new record that is refused while its form is open is not said to be deleted by somebody", async () => {
  await ann.go("Categories");
  const form = ann.page.getByRole("dialog");
  const release = await ann.holdWrites();
  await ann.fill("New category", { Name: "Rent", Kind: "Money out" });
  await ann.isSaved();
  await ann.row("not sent yet").getByRole("button", { name: "Edit Rent", exact: true }).click();
  await form.getByLabel("Name").fill("Rent and more");
  await release();
  await form.getByText("This category is gone: the server did not take it").waitFor();
  await form.getByRole("button", { name: "Close" }).last().click();
  await ann.isSaved();
  await ann.go("Changes");
  const refusal = ann.page.getByRole("article", { name: "Refused categories" });
  await refusal.getByRole("button", { name: "Discard" }).click();
  await refusal.waitFor({ state: "detached" });
});

test("of two who change one budget the second is asked, and has the last word either way", async () => {
  await Promise.all([ann.go("Budgets"), ben.go("Budgets")]);
  const budgetOf = async (person) => person.row("Eating out").innerText();
  const collide = async (mine, theirs) => {
    await ben.goOffline();
    await ben.fill("Edit budget of Eating out", { "At most": mine });
    await ben.isSaved();
    await ann.fill("Edit budget of Eating out", { "At most": theirs });
    await ann.isSaved();
    await until("the server has hers", () => onServer("budgets", ({ amount }) => amount === theirs));
    await ben.goOnline();
    await ben.go("Changes");
    const refusal = ben.page.getByRole("article", { name: "Refused budgets" });
    await refusal.waitFor();
    return refusal;
  };
  let refusal = await collide("200.00", "300.00");
  assert.deepEqual(await refusal.locator("tbody tr > *").allInnerTexts(), ["At most", "€160.00", "€200.00", "€300.00"]);
  await ben.page.getByText("Nothing is on its way.").waitFor();
  await ben.picture("conflict");
  await refusal.getByRole("button", { name: "Use mine" }).click();
  await refusal.waitFor({ state: "detached" });
  await until("mine is everywhere", async () => /of €200\.00/.test(await budgetOf(ann)));
  await ben.go("Budgets");
  refusal = await collide("210.00", "310.00");
  await refusal.getByRole("button", { name: "Use theirs" }).click();
  await refusal.waitFor({ state: "detached" });
  await ben.go("Budgets");
  await until("theirs is everywhere", async () => /of €310\.00/.test(await budgetOf(ben)));
});

test("an excluded field is in no byte that leaves the browser", async () => {
  const canaries = ["canary-one", "canary-two", "canary-three"];
  await ann.go("Contacts");
  await ann.fill("New contact", { Name: "Mr Sparrow", "Private notes": canaries[0] });
  await ann.isSaved();
  await ann.row("Mr Sparrow").getByText(canaries[0]).waitFor();
  await ann.isDrained("Mr Sparrow");
  await ann.fill("Edit Mr Sparrow", { "E-mail": "sparrow@example.org", "Private notes": canaries[1] });
  await ann.isSaved();
  await ann.go("Transactions");
  await ann.fill("New transaction", { "What for": "Birdseed", Amount: "4", "Private memo": canaries[2] });
  await ann.isSaved();
  for (const word of ["sparrow@example.org", "Birdseed"]) await ann.isDrained(word);
  await ben.go("Contacts");
  await ben.row("Mr Sparrow").getByText("sparrow@example.org").waitFor();
  for (const { url, body } of [...ann.sent, ...ben.sent]) {
    for (const word of [...canaries, "private_notes", "private_memo"]) assert.ok(!url.includes(word) && !body.includes(word), `${word} in ${url}`);
  }
  await ann.page.reload();
  await ann.go("Contacts");
  await ann.row("Mr Sparrow").getByText(canaries[1]).waitFor();
});

test("who may not edit has no controls for it, and is refused by the server too", async () => {
  await ben.go("Contacts");
  await ben.page.getByRole("button", { name: "Edit Uncle Theo" }).click();
  const form = ben.page.getByRole("dialog");
  await form.getByLabel("E-mail").waitFor();
  assert.equal(await form.getByRole("textbox", { name: /Credit limit/ }).count(), 0, "owners alone write it");
  await form.getByText("€300.00").waitFor();
  await ben.picture("editor");
  await ben.page.keyboard.press("Escape");

  vera = await stage.person("vera");
  await vera.page.locator(".legend li").first().waitFor();
  for (const title of ["Transactions", "Accounts", "Budgets", "Categories", "Contacts"]) {
    await vera.go(title);
    await vera.page.locator("[data-id]").first().waitFor();
    assert.equal(await vera.page.getByRole("button", { name: /^(Edit|New) / }).count(), 0, title);
  }
  await vera.picture("viewer");
  const theo = await onServer("contacts", ({ name }) => name === "Uncle Theo");
  for (const [user, values, status] of [["vera", { name: "Theodor" }, 403], ["ben", { credit_limit: "9000.00" }, 403], ["ben", { name: "Theo" }, 200]]) {
    const answer = await vera.page.evaluate(
      ([id, token, values]) => fetch(`/api/contacts/${id}`, { method: "PATCH", body: JSON.stringify(values), headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } }).then(({ status }) => status),
      [theo.id, stage.token(user), values],
    );
    assert.equal(answer, status, `${user} ${JSON.stringify(values)}`);
  }
  await vera.seesNot("Uncle Theo");
  await vera.sees("Theo");
});

test("the user is changed on any page", async () => {
  await vera.go("Contacts");
  await vera.page.evaluate(() => history.replaceState(null, "", location.pathname + location.hash));
  await vera.page.getByLabel("User").selectOption("ben");
  await vera.page.getByRole("button", { name: "New contact" }).waitFor();
  await vera.sees("Café Lumen");
  assert.equal(await vera.page.getByLabel("User").inputValue(), "ben");
  await vera.context.close();
});

test("while the page is being edited, its forms stay open", async () => {
  const edited = await stage.openEdited("ben");
  await edited.go("Transactions");
  await edited.fill("New transaction", { "What for": "Written in the workshop", Amount: "7" });
  await edited.isSaved();
  await edited.sees("Written in the workshop");
  assert.deepEqual(edited.failures, []);
  await edited.context.close();
});

test("a form that is opened before the accounts have come has one of them when they have", async () => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const early = await stage.person("ben", (context) => context.route(
    (url) => url.pathname === "/v1/shape" && url.searchParams.get("table") === '"accounts"',
    async (route) => {
      await held;
      await route.continue();
    },
  ), "Connecting");
  await early.go("Transactions");
  await early.page.getByRole("button", { name: "New transaction", exact: true }).click();
  const form = early.page.getByRole("dialog");
  const account = form.getByLabel("Account");
  await account.waitFor();
  assert.equal(await account.locator("option").count(), 1);
  await form.getByLabel("What for").fill("Bought in a hurry");
  await form.getByLabel("Amount", { exact: false }).first().fill("3");
  release();
  await account.locator("option").nth(1).waitFor({ state: "attached" });
  assert.notEqual(await account.inputValue(), "");
  await form.getByRole("button", { name: "Add", exact: true }).click();
  await early.isSaved();
  await early.sees("Bought in a hurry");
  assert.deepEqual(early.failures, []);
  await early.context.unrouteAll({ behavior: "ignoreErrors" });
  await early.context.close();
});

test("a thousand rows come in, are searched and edited", async () => {
  await Promise.all([ann.go("Transactions"), ben.go("Transactions")]);
  const { id } = await onServer("accounts", ({ name }) => name === "Everyday");
  const rows = Array.from({ length: 1_000 }, (_, at) => ({
    entity: "transactions", id: crypto.randomUUID(), action: "create", base: {},
    values: { account_id: id, date: `2025-0${1 + (at % 9)}-${10 + (at % 18)}`, amount: "-1.00", description: `Toll ${at}` },
  }));
  await send(stage.server, stage.token("ann"), rows);
  for (const { page, sees } of [ann, ben]) {
    await page.getByLabel("Search").fill("Toll");
    await page.getByLabel("Rows shown").filter({ hasText: "1,000 transactions" }).waitFor();
    await page.getByLabel("Search").fill("Toll 777");
    await page.getByLabel("Rows shown").filter({ hasText: /^1 transaction$/ }).waitFor();
    await sees("Toll 777");
    await page.getByRole("heading", { name: "13 April 2025" }).waitFor();
  }
  await ann.fill("Edit Toll 777", { "What for": "Toll 777 paid back" });
  await ann.isSaved();
  await ben.sees("Toll 777 paid back");
  await ann.picture("thousand");
  for (const { page } of [ann, ben]) await page.getByLabel("Search").fill("");
});

test("a page that comes over plain HTTP from another machine says what it lacks, and what to do", async () => {
  const { page, picture } = await stage.openElsewhere();
  await page.getByRole("alert").getByText("over plain HTTP from another machine: open it over HTTPS, or at http://localhost").waitFor();
  const has = await page.evaluate(() => [isSecureContext, "randomUUID" in crypto, "locks" in navigator, "serviceWorker" in navigator]);
  assert.deepEqual(has, [false, false, false, false]);
  await picture("insecure");
  await page.context().close();
});

test("books whose database can't be opened say why", async () => {
  const broken = [
    ["its worker could not be loaded", (route) => route.abort()],
    ["the disk says no", async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: `IDBFactory.prototype.open = () => { throw new Error("the disk says no"); };\n${await answer.text()}` });
    }],
  ];
  for (const [why, answer] of broken) {
    const { page, picture } = await stage.visit((context) => context.route(/\/assets\/worker-[^/]*\.js$/, answer));
    await page.getByRole("alert").getByText(`the local database could not be opened: ${why}`).waitFor();
    await picture("not-opened");
    await page.context().close();
  }
});

test("pages of two versions have one database between them", async () => {
  const { page } = await stage.visit();
  const isOnline = (of) => of.getByRole("status", { name: "Connection" }).filter({ hasText: /^Online$/ }).waitFor();
  await isOnline(page);
  const other = await page.context().newPage();
  // Another version's worker has another address.
  await other.route(/\/assets\/index-[^/]*\.js$/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replaceAll(/\/assets\/worker-[\w-]+\.js/g, "$&?another") });
  });
  await other.goto(page.url());
  await isOnline(other);
  assert.ok(other.workers().every((worker) => worker.url().endsWith("?another")));
  const { held, pending } = await page.evaluate(() => navigator.locks.query());
  const ofDatabase = ({ name }) => name.startsWith("pglite-election-lock:");
  assert.deepEqual([held.filter(ofDatabase).length, pending.filter(ofDatabase).length], [1, 1]);
  await page.context().close();
});

test("books that are removed from a browser are in none of its tabs, and leave nothing there", async () => {
  const vera = await stage.person("vera");
  const second = await vera.openTab();
  const kept = () => second.page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  assert.deepEqual(await kept(), ["/pglite/finance-tracker-vera"]);
  await vera.go("Changes");
  const asked = [];
  vera.page.on("dialog", (dialog) => {
    asked.push(dialog.message());
    return dialog.accept();
  });
  await vera.picture("changes");
  await vera.page.getByRole("button", { name: "Remove my books" }).click();
  await second.page.getByRole("heading", { name: "The books are closed" }).waitFor();
  await vera.page.getByRole("heading", { name: "not in this browser any more" }).waitFor();
  await vera.page.getByText("The server has what was sent to it.").waitFor();
  assert.deepEqual(asked, ["Remove your books from this browser? Private notes and memos are in it alone, and would be lost."]);
  assert.deepEqual(await kept(), []);
  await vera.picture("removed");
  await vera.page.getByRole("button", { name: "Open them again" }).click();
  await vera.hasStatus("Online");
  await vera.go("Transactions");
  await vera.page.locator("[data-id]").first().waitFor();
  // PGlite's worker may still answer a tab over the channel that it has just closed.
  const failures = [...vera.failures, ...second.failures].filter((failure) => !String(failure).includes("Channel is closed"));
  assert.deepEqual(failures, []);
  await vera.context.close();
});

test("books that a tab has open which does not hear of it are not removed, and it goes on", async () => {
  const first = await stage.person("ben");
  const deaf = await first.openTab((page) => page.addInitScript(() => (BroadcastChannel.prototype.addEventListener = new Proxy(BroadcastChannel.prototype.addEventListener, {
    apply: (add, channel, told) => channel.name !== "finance-tracker.left" && Reflect.apply(add, channel, told),
  }))));
  await deaf.go("Transactions");
  await deaf.page.locator("[data-id]").first().waitFor();
  await first.go("Changes");
  first.page.on("dialog", (dialog) => dialog.accept());
  await first.page.getByRole("button", { name: "Remove my books" }).click();
  await first.page.getByRole("heading", { name: "The books could not be removed" }).waitFor();
  await first.page.getByText("Another tab has the local database open: close that tab, and remove the database again.", { exact: true }).waitFor();
  await first.picture("open-elsewhere");
  await deaf.fill("New transaction", { "What for": "Written by the deaf", Amount: "8" });
  await deaf.isSaved();
  await deaf.isDrained("Written by the deaf");
  await deaf.page.reload();
  await deaf.sees("Written by the deaf");
  await deaf.page.close();
  await first.page.getByRole("button", { name: "Open them again" }).click();
  await first.go("Changes");
  await first.page.getByRole("button", { name: "Remove my books" }).click();
  await first.page.getByRole("heading", { name: "not in this browser any more" }).waitFor();
  assert.deepEqual(await first.page.evaluate(() => indexedDB.databases()), []);
  await first.context.close();
});

test("a shape that the server has dropped is fetched anew, and unsent writes stay on top", async () => {
  await Promise.all([ann.go("Transactions"), ben.go("Transactions")]);
  const release = await ann.holdWrites();
  await ann.fill("Edit Ferry ticket", { "What for": "Ferry ticket, return" });
  await ann.isSaved();
  await ann.sees("Ferry ticket, return");
  const isOfTransactions = ({ url }) => url.includes("/v1/shape") && url.includes("table=%22transactions%22") && url.includes("handle=");
  const shape = new URL(ann.sent.findLast(isOfTransactions).url);
  for (const name of ["offset", "live", "cursor", "log"]) shape.searchParams.delete(name);
  const from = ann.answers.length;
  const dropped = await fetch(shape, { method: "DELETE", headers: { authorization: `Bearer ${stage.token("ann")}` } });
  assert.ok(dropped.ok, `${dropped.status} ${await dropped.text()}`);
  const { id } = await onServer("transactions", ({ description }) => description === "Birdseed");
  await fetch(`${stage.server.url}/api/transactions/${id}`, {
    method: "PATCH", body: JSON.stringify({ description: "Birdseed and water" }),
    headers: { authorization: `Bearer ${stage.token("ben")}`, "content-type": "application/json" },
  });
  await until("it was told to fetch anew", () => ann.answers.slice(from).some(({ url, status }) => status === 409 && url.includes("table=%22transactions%22")));
  await ann.sees("Birdseed and water");
  await ann.row("Ferry ticket, return").getByText("not sent yet").waitFor();
  await release();
  await ben.sees("Ferry ticket, return");
  await ann.isDrained("Ferry ticket, return");
});

test("of two tabs one sends; when it closes, the other goes on", async () => {
  await Promise.all([ann.go("Transactions"), ben.go("Transactions")]);
  const second = await ann.openTab();
  await second.go("Transactions");
  await second.sees("Ferry ticket, return");
  const from = ann.sent.length;
  await second.fill("New transaction", { "What for": "Written in the second tab", Amount: "5" });
  await second.isSaved();
  await Promise.all([ann.sees("Written in the second tab"), ben.sees("Written in the second tab")]);
  await second.isDrained("Written in the second tab");
  const sender = ({ url }) => url.endsWith("/api/writes") || url.includes("/v1/shape");
  const writes = ann.sent.slice(from).filter(sender);
  assert.ok(writes.length > 0 && writes.every(({ page }) => page === ann.page), "the first tab alone talks to the server");
  await ann.page.close();
  await second.fill("New transaction", { "What for": "Written by who is left", Amount: "6" });
  await second.isSaved();
  await ben.sees("Written by who is left");
  await second.isDrained("Written by who is left");
  assert.ok(ann.sent.some(({ page, url }) => page === second.page && url.endsWith("/api/writes")), "the second tab took over");
  assert.deepEqual(second.failures, []);
  await second.picture("second-tab");
});
