-- transactions: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS "transactions_synced" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "account_id" TEXT,
  "category_id" TEXT,
  "contact_id" TEXT,
  "date" TEXT,
  "amount" TEXT,
  "description" TEXT,
  "cleared" INTEGER,
  "created_at" TEXT,
  "updated_at" TEXT,
  "_role" TEXT
);

-- Made by the triggers below alone, but for columns that never leave this database.
CREATE TABLE IF NOT EXISTS "transactions_local" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "account_id" TEXT,
  "category_id" TEXT,
  "contact_id" TEXT,
  "date" TEXT,
  "amount" TEXT,
  "description" TEXT,
  "cleared" INTEGER,
  "created_at" TEXT,
  "updated_at" TEXT,
  "private_memo" TEXT,
  -- A JSON array of the columns that changes set.
  "_changed_columns" TEXT NOT NULL DEFAULT '[]',
  -- Whether a change makes the row, and whether one deletes what was there before.
  "_is_new" INTEGER NOT NULL DEFAULT 0,
  "_is_deleted" INTEGER NOT NULL DEFAULT 0,
  -- Of the last change.
  "_write_id" TEXT
);

INSERT OR REPLACE INTO "_references" ("entity", "field", "target")
VALUES ('transactions', 'account_id', 'accounts');
INSERT OR REPLACE INTO "_references" ("entity", "field", "target")
VALUES ('transactions', 'category_id', 'categories');
INSERT OR REPLACE INTO "_references" ("entity", "field", "target")
VALUES ('transactions', 'contact_id', 'contacts');
INSERT OR IGNORE INTO "_shapes" ("entity") VALUES ('transactions');

DROP VIEW IF EXISTS "transactions";
CREATE VIEW "transactions" AS
SELECT synced."id" AS "id",
  CASE WHEN instr(own."_changed_columns", '"account_id"') > 0 THEN own."account_id" ELSE synced."account_id" END AS "account_id",
  CASE WHEN instr(own."_changed_columns", '"category_id"') > 0 THEN own."category_id" ELSE synced."category_id" END AS "category_id",
  CASE WHEN instr(own."_changed_columns", '"contact_id"') > 0 THEN own."contact_id" ELSE synced."contact_id" END AS "contact_id",
  CASE WHEN instr(own."_changed_columns", '"date"') > 0 THEN own."date" ELSE synced."date" END AS "date",
  CASE WHEN instr(own."_changed_columns", '"amount"') > 0 THEN own."amount" ELSE synced."amount" END AS "amount",
  CASE WHEN instr(own."_changed_columns", '"description"') > 0 THEN own."description" ELSE synced."description" END AS "description",
  CASE WHEN instr(own."_changed_columns", '"cleared"') > 0 THEN own."cleared" ELSE synced."cleared" END AS "cleared",
  CASE WHEN instr(own."_changed_columns", '"created_at"') > 0 THEN own."created_at" ELSE synced."created_at" END AS "created_at",
  CASE WHEN instr(own."_changed_columns", '"updated_at"') > 0 THEN own."updated_at" ELSE synced."updated_at" END AS "updated_at",
  own."private_memo" AS "private_memo",
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM "transactions_synced" AS synced LEFT JOIN "transactions_local" AS own ON own."id" = synced."id"
WHERE own."_is_deleted" IS NOT 1
UNION ALL
SELECT own."id",
  own."account_id",
  own."category_id",
  own."contact_id",
  own."date",
  own."amount",
  own."description",
  own."cleared",
  own."created_at",
  own."updated_at",
  own."private_memo",
  NULL,
  1,
  own."_write_id"
FROM "transactions_local" AS own
WHERE own."_is_new" = 1 AND (
  own."_is_deleted" = 1
  OR NOT EXISTS (SELECT 1 FROM "transactions_synced" AS synced WHERE synced."id" = own."id"));

-- What this database shows on top of a synced row, from the row's changes.
DROP TRIGGER IF EXISTS "_transactions_overlay";
CREATE TRIGGER "_transactions_overlay" INSTEAD OF INSERT ON "_overlay" WHEN NEW."entity" = 'transactions' BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('transactions', NEW."key");
  INSERT INTO "transactions_local" (
    "id", "account_id", "category_id", "contact_id", "date", "amount", "description", "cleared", "created_at", "updated_at",
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  SELECT CAST(NEW."key" AS TEXT),
    max(CASE cell."name" WHEN 'account_id' THEN cell."value" END),
    max(CASE cell."name" WHEN 'category_id' THEN cell."value" END),
    max(CASE cell."name" WHEN 'contact_id' THEN cell."value" END),
    max(CASE cell."name" WHEN 'date' THEN cell."value" END),
    max(CASE cell."name" WHEN 'amount' THEN cell."value" END),
    max(CASE cell."name" WHEN 'description' THEN cell."value" END),
    max(CASE cell."name" WHEN 'cleared' THEN cell."value" END),
    max(CASE cell."name" WHEN 'created_at' THEN cell."value" END),
    max(CASE cell."name" WHEN 'updated_at' THEN cell."value" END),
    json_group_array(cell."name") FILTER (WHERE cell."name" IS NOT NULL),
    EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'transactions' AND "key" = NEW."key"
      AND "operation" = 'insert' AND "id" > row."deleted" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')),
    row."deleted" > 0,
    (SELECT "write_id" FROM "_changes" WHERE "entity" = 'transactions' AND "key" = NEW."key"
      AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected') ORDER BY "id" DESC LIMIT 1)
  FROM (
    SELECT coalesce(max(CASE "operation" WHEN 'delete' THEN "id" END), 0) AS "deleted",
      coalesce(max("id"), 0) AS "first"
    FROM "_changes"
    WHERE "entity" = 'transactions' AND "key" = NEW."key" AND "operation" <> 'update' AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')) AS row
  LEFT JOIN (
    SELECT change."id" AS "id", cell."key" AS "name", cell."value" AS "value", cell."type" AS "type"
    FROM "_changes" AS change, json_each(change."value") AS cell
    WHERE change."entity" = 'transactions' AND change."key" = NEW."key" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')) AS cell
    ON cell."id" >= row."first" AND NOT EXISTS (
      SELECT 1 FROM "_changes" AS change, json_each(change."value") AS later
      WHERE change."entity" = 'transactions' AND change."key" = NEW."key" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')
        AND change."id" > cell."id" AND later."key" = cell."name")
  WHERE true
  ON CONFLICT ("id") DO UPDATE SET
    "account_id" = excluded."account_id",
    "category_id" = excluded."category_id",
    "contact_id" = excluded."contact_id",
    "date" = excluded."date",
    "amount" = excluded."amount",
    "description" = excluded."description",
    "cleared" = excluded."cleared",
    "created_at" = excluded."created_at",
    "updated_at" = excluded."updated_at",
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  DELETE FROM "transactions_local" WHERE "id" = CAST(NEW."key" AS TEXT) AND "_write_id" IS NULL AND "private_memo" IS NULL;
END;

-- What never leaves this database goes when the server has accepted that its row was deleted here, and when a
-- row that was made here comes to nothing. Of a row that the server shows no more, it stays: the row may come back.
DROP TRIGGER IF EXISTS "_transactions_forgotten";
CREATE TRIGGER "_transactions_forgotten" AFTER UPDATE OF "state" ON "_changes"
WHEN NEW."entity" = 'transactions' AND NEW."operation" = 'delete' AND NEW."state" = 'acknowledged'
  AND NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'transactions' AND "key" = NEW."key" AND "id" > NEW."id")
BEGIN
  UPDATE "transactions_local" SET "private_memo" = NULL
  WHERE "id" = CAST(NEW."key" AS TEXT);
  INSERT INTO "_overlay" ("entity", "key") VALUES ('transactions', NEW."key");
END;
DROP TRIGGER IF EXISTS "_transactions_unmade";
CREATE TRIGGER "_transactions_unmade" AFTER DELETE ON "_changes"
WHEN OLD."entity" = 'transactions' AND OLD."operation" = 'insert' AND OLD."state" <> 'acknowledged'
  AND NOT EXISTS (SELECT 1 FROM "transactions_synced" WHERE "id" = CAST(OLD."key" AS TEXT))
  AND NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'transactions' AND "key" = OLD."key"
    AND NOT ("operation" = 'delete' AND "state" = 'pending'))
BEGIN
  UPDATE "transactions_local" SET "private_memo" = NULL
  WHERE "id" = CAST(OLD."key" AS TEXT);
  INSERT INTO "_overlay" ("entity", "key") VALUES ('transactions', OLD."key");
END;
DROP TRIGGER IF EXISTS "_transactions_insert";
CREATE TRIGGER "_transactions_insert" INSTEAD OF INSERT ON "transactions" BEGIN
  SELECT RAISE(ABORT, 'transactions: a row needs its key') WHERE NEW."id" IS NULL;
  SELECT RAISE(ABORT, 'transactions: a row with this key is there')
  WHERE EXISTS (SELECT 1 FROM "transactions" WHERE "id" = lower(NEW."id"));
  INSERT INTO "transactions_local" ("id", "private_memo")
  VALUES (lower(NEW."id"), NEW."private_memo")
  ON CONFLICT ("id") DO UPDATE SET
    "private_memo" = excluded."private_memo";
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value")
  SELECT 'transactions', CAST(lower(NEW."id") AS TEXT), 'insert', 'optimistic', (SELECT "id" FROM "_transaction"),
    coalesce(json_group_object(cell."name", json(cell."text")) FILTER (WHERE cell."text" IS NOT NULL), '{}')
  FROM (
    SELECT 'account_id' AS "name", CASE WHEN lower(NEW."account_id") IS NULL THEN NULL ELSE json_quote(lower(NEW."account_id")) END AS "text"
    UNION ALL SELECT 'category_id' AS "name", CASE WHEN lower(NEW."category_id") IS NULL THEN NULL ELSE json_quote(lower(NEW."category_id")) END AS "text"
    UNION ALL SELECT 'contact_id' AS "name", CASE WHEN lower(NEW."contact_id") IS NULL THEN NULL ELSE json_quote(lower(NEW."contact_id")) END AS "text"
    UNION ALL SELECT 'date' AS "name", CASE WHEN NEW."date" IS NULL THEN NULL ELSE json_quote(NEW."date") END AS "text"
    UNION ALL SELECT 'amount' AS "name", CASE WHEN NEW."amount" IS NULL THEN NULL ELSE json_quote(NEW."amount") END AS "text"
    UNION ALL SELECT 'description' AS "name", CASE WHEN NEW."description" IS NULL THEN NULL ELSE json_quote(NEW."description") END AS "text"
    UNION ALL SELECT 'cleared' AS "name", CASE WHEN NEW."cleared" IS NULL THEN NULL WHEN NEW."cleared" THEN 'true' ELSE 'false' END AS "text"
    UNION ALL SELECT 'created_at' AS "name", CASE WHEN NEW."created_at" IS NULL THEN NULL ELSE json_quote(NEW."created_at") END AS "text"
    UNION ALL SELECT 'updated_at' AS "name", CASE WHEN NEW."updated_at" IS NULL THEN NULL ELSE json_quote(NEW."updated_at") END AS "text") AS cell;
END;

DROP TRIGGER IF EXISTS "_transactions_update";
CREATE TRIGGER "_transactions_update" INSTEAD OF UPDATE ON "transactions" BEGIN
  SELECT RAISE(ABORT, 'transactions: a key can''t change') WHERE NEW."id" IS NOT OLD."id";
  INSERT INTO "transactions_local" ("id", "private_memo")
  SELECT NEW."id", NEW."private_memo"
  WHERE NEW."private_memo" IS NOT OLD."private_memo"
  ON CONFLICT ("id") DO UPDATE SET
    "private_memo" = excluded."private_memo";
  INSERT INTO "_touched" ("entity", "key") VALUES ('transactions', CAST(OLD."id" AS TEXT));
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value", "base")
  SELECT 'transactions', CAST(OLD."id" AS TEXT), 'update', 'optimistic', (SELECT "id" FROM "_transaction"),
    json_group_object(cell."name", json(coalesce(cell."text", 'null'))),
    json_group_object(cell."name", json(coalesce(cell."base", 'null')))
  FROM (
    SELECT 'account_id' AS "name", CASE WHEN lower(NEW."account_id") IS NULL THEN NULL ELSE json_quote(lower(NEW."account_id")) END AS "text", CASE WHEN OLD."account_id" IS NULL THEN NULL ELSE json_quote(OLD."account_id") END AS "base"
    WHERE lower(NEW."account_id") IS NOT OLD."account_id"
    UNION ALL SELECT 'category_id' AS "name", CASE WHEN lower(NEW."category_id") IS NULL THEN NULL ELSE json_quote(lower(NEW."category_id")) END AS "text", CASE WHEN OLD."category_id" IS NULL THEN NULL ELSE json_quote(OLD."category_id") END AS "base"
    WHERE lower(NEW."category_id") IS NOT OLD."category_id"
    UNION ALL SELECT 'contact_id' AS "name", CASE WHEN lower(NEW."contact_id") IS NULL THEN NULL ELSE json_quote(lower(NEW."contact_id")) END AS "text", CASE WHEN OLD."contact_id" IS NULL THEN NULL ELSE json_quote(OLD."contact_id") END AS "base"
    WHERE lower(NEW."contact_id") IS NOT OLD."contact_id"
    UNION ALL SELECT 'date' AS "name", CASE WHEN NEW."date" IS NULL THEN NULL ELSE json_quote(NEW."date") END AS "text", CASE WHEN OLD."date" IS NULL THEN NULL ELSE json_quote(OLD."date") END AS "base"
    WHERE NEW."date" IS NOT OLD."date"
    UNION ALL SELECT 'amount' AS "name", CASE WHEN NEW."amount" IS NULL THEN NULL ELSE json_quote(NEW."amount") END AS "text", CASE WHEN OLD."amount" IS NULL THEN NULL ELSE json_quote(OLD."amount") END AS "base"
    WHERE NEW."amount" IS NOT OLD."amount"
    UNION ALL SELECT 'description' AS "name", CASE WHEN NEW."description" IS NULL THEN NULL ELSE json_quote(NEW."description") END AS "text", CASE WHEN OLD."description" IS NULL THEN NULL ELSE json_quote(OLD."description") END AS "base"
    WHERE NEW."description" IS NOT OLD."description"
    UNION ALL SELECT 'cleared' AS "name", CASE WHEN NEW."cleared" IS NULL THEN NULL WHEN NEW."cleared" THEN 'true' ELSE 'false' END AS "text", CASE WHEN OLD."cleared" IS NULL THEN NULL WHEN OLD."cleared" THEN 'true' ELSE 'false' END AS "base"
    WHERE NEW."cleared" IS NOT OLD."cleared"
    UNION ALL SELECT 'created_at' AS "name", CASE WHEN NEW."created_at" IS NULL THEN NULL ELSE json_quote(NEW."created_at") END AS "text", CASE WHEN OLD."created_at" IS NULL THEN NULL ELSE json_quote(OLD."created_at") END AS "base"
    WHERE NEW."created_at" IS NOT OLD."created_at"
    UNION ALL SELECT 'updated_at' AS "name", CASE WHEN NEW."updated_at" IS NULL THEN NULL ELSE json_quote(NEW."updated_at") END AS "text", CASE WHEN OLD."updated_at" IS NULL THEN NULL ELSE json_quote(OLD."updated_at") END AS "base"
    WHERE NEW."updated_at" IS NOT OLD."updated_at") AS cell
  HAVING count(*) > 0;
END;

DROP TRIGGER IF EXISTS "_transactions_delete";
CREATE TRIGGER "_transactions_delete" INSTEAD OF DELETE ON "transactions" BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "base")
  SELECT 'transactions', CAST(OLD."id" AS TEXT), 'delete', 'optimistic', (SELECT "id" FROM "_transaction"),
    coalesce(json_group_object(cell."name", json(coalesce(cell."text", 'null'))), '{}')
  FROM (
    SELECT 'account_id' AS "name", CASE WHEN OLD."account_id" IS NULL THEN NULL ELSE json_quote(OLD."account_id") END AS "text"
    UNION ALL SELECT 'category_id' AS "name", CASE WHEN OLD."category_id" IS NULL THEN NULL ELSE json_quote(OLD."category_id") END AS "text"
    UNION ALL SELECT 'contact_id' AS "name", CASE WHEN OLD."contact_id" IS NULL THEN NULL ELSE json_quote(OLD."contact_id") END AS "text"
    UNION ALL SELECT 'date' AS "name", CASE WHEN OLD."date" IS NULL THEN NULL ELSE json_quote(OLD."date") END AS "text"
    UNION ALL SELECT 'amount' AS "name", CASE WHEN OLD."amount" IS NULL THEN NULL ELSE json_quote(OLD."amount") END AS "text"
    UNION ALL SELECT 'description' AS "name", CASE WHEN OLD."description" IS NULL THEN NULL ELSE json_quote(OLD."description") END AS "text"
    UNION ALL SELECT 'cleared' AS "name", CASE WHEN OLD."cleared" IS NULL THEN NULL WHEN OLD."cleared" THEN 'true' ELSE 'false' END AS "text"
    UNION ALL SELECT 'created_at' AS "name", CASE WHEN OLD."created_at" IS NULL THEN NULL ELSE json_quote(OLD."created_at") END AS "text"
    UNION ALL SELECT 'updated_at' AS "name", CASE WHEN OLD."updated_at" IS NULL THEN NULL ELSE json_quote(OLD."updated_at") END AS "text") AS cell;
END;

-- An accepted write whose values the server shows has done its work, where no place in a log tells, and so have
-- those before it.
DROP TRIGGER IF EXISTS "_transactions_told";
CREATE TRIGGER "_transactions_told" INSTEAD OF INSERT ON "_told" WHEN NEW."entity" = 'transactions' BEGIN
  DELETE FROM "_changes" WHERE "entity" = 'transactions' AND "key" = NEW."key"
    AND "state" = 'acknowledged' AND "seq" IS NULL AND "id" <= (
      SELECT max(change."id") FROM "_changes" AS change
      LEFT JOIN "transactions_synced" AS synced ON synced."id" = CAST(NEW."key" AS TEXT)
      WHERE change."entity" = 'transactions' AND change."key" = NEW."key"
        AND change."state" = 'acknowledged' AND change."seq" IS NULL
        AND CASE change."operation" WHEN 'delete' THEN synced."id" IS NULL
          ELSE synced."id" IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM "_change_columns" AS cell WHERE cell."id" = change."id" AND cell."part" = 'value'
              AND CASE cell."name" WHEN 'account_id' THEN coalesce(CASE WHEN synced."account_id" IS NULL THEN NULL ELSE json_quote(synced."account_id") END, 'null') WHEN 'category_id' THEN coalesce(CASE WHEN synced."category_id" IS NULL THEN NULL ELSE json_quote(synced."category_id") END, 'null') WHEN 'contact_id' THEN coalesce(CASE WHEN synced."contact_id" IS NULL THEN NULL ELSE json_quote(synced."contact_id") END, 'null') WHEN 'date' THEN coalesce(CASE WHEN synced."date" IS NULL THEN NULL ELSE json_quote(synced."date") END, 'null') WHEN 'amount' THEN coalesce(CASE WHEN synced."amount" IS NULL THEN NULL ELSE json_quote(synced."amount") END, 'null') WHEN 'description' THEN coalesce(CASE WHEN synced."description" IS NULL THEN NULL ELSE json_quote(synced."description") END, 'null') WHEN 'cleared' THEN coalesce(CASE WHEN synced."cleared" IS NULL THEN NULL WHEN synced."cleared" THEN 'true' ELSE 'false' END, 'null') WHEN 'created_at' THEN coalesce(CASE WHEN synced."created_at" IS NULL THEN NULL ELSE json_quote(synced."created_at") END, 'null') WHEN 'updated_at' THEN coalesce(CASE WHEN synced."updated_at" IS NULL THEN NULL ELSE json_quote(synced."updated_at") END, 'null') END IS NOT cell."text") END);
END;
DROP TRIGGER IF EXISTS "_transactions_synced_insert";
CREATE TRIGGER "_transactions_synced_insert" AFTER INSERT ON "transactions_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('transactions', CAST(NEW."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'transactions' AND "key" = CAST(NEW."id" AS TEXT) LIMIT 1;
END;
DROP TRIGGER IF EXISTS "_transactions_synced_update";
CREATE TRIGGER "_transactions_synced_update" AFTER UPDATE ON "transactions_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('transactions', CAST(NEW."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'transactions' AND "key" = CAST(NEW."id" AS TEXT) LIMIT 1;
END;
DROP TRIGGER IF EXISTS "_transactions_synced_delete";
CREATE TRIGGER "_transactions_synced_delete" AFTER DELETE ON "transactions_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('transactions', CAST(OLD."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'transactions' AND "key" = CAST(OLD."id" AS TEXT) LIMIT 1;
END;
