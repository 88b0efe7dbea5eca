-- accounts: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS "accounts_synced" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT,
  "kind" TEXT,
  "opening_balance" TEXT,
  "overdraft_limit" TEXT,
  "closed" INTEGER,
  "created_at" TEXT,
  "updated_at" TEXT,
  "_role" TEXT
);

-- Made by the triggers below alone, but for columns that never leave this database.
CREATE TABLE IF NOT EXISTS "accounts_local" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT,
  "kind" TEXT,
  "opening_balance" TEXT,
  "overdraft_limit" TEXT,
  "closed" INTEGER,
  "created_at" TEXT,
  "updated_at" TEXT,
  -- A JSON array of the columns that changes set.
  "_changed_columns" TEXT NOT NULL DEFAULT '[]',
  -- Whether a change makes the row, and whether one deletes what was there before.
  "_is_new" INTEGER NOT NULL DEFAULT 0,
  "_is_deleted" INTEGER NOT NULL DEFAULT 0,
  -- Of the last change.
  "_write_id" TEXT
);

INSERT OR IGNORE INTO "_unique" ("entity", "field") VALUES ('accounts', 'name');
INSERT OR IGNORE INTO "_shapes" ("entity") VALUES ('accounts');

DROP VIEW IF EXISTS "accounts";
CREATE VIEW "accounts" AS
SELECT synced."id" AS "id",
  CASE WHEN instr(own."_changed_columns", '"name"') > 0 THEN own."name" ELSE synced."name" END AS "name",
  CASE WHEN instr(own."_changed_columns", '"kind"') > 0 THEN own."kind" ELSE synced."kind" END AS "kind",
  CASE WHEN instr(own."_changed_columns", '"opening_balance"') > 0 THEN own."opening_balance" ELSE synced."opening_balance" END AS "opening_balance",
  CASE WHEN instr(own."_changed_columns", '"overdraft_limit"') > 0 THEN own."overdraft_limit" ELSE synced."overdraft_limit" END AS "overdraft_limit",
  CASE WHEN instr(own."_changed_columns", '"closed"') > 0 THEN own."closed" ELSE synced."closed" END AS "closed",
  CASE WHEN instr(own."_changed_columns", '"created_at"') > 0 THEN own."created_at" ELSE synced."created_at" END AS "created_at",
  CASE WHEN instr(own."_changed_columns", '"updated_at"') > 0 THEN own."updated_at" ELSE synced."updated_at" END AS "updated_at",
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM "accounts_synced" AS synced LEFT JOIN "accounts_local" AS own ON own."id" = synced."id"
WHERE own."_is_deleted" IS NOT 1
UNION ALL
SELECT own."id",
  own."name",
  own."kind",
  own."opening_balance",
  own."overdraft_limit",
  own."closed",
  own."created_at",
  own."updated_at",
  NULL,
  1,
  own."_write_id"
FROM "accounts_local" AS own
WHERE own."_is_new" = 1 AND (
  own."_is_deleted" = 1
  OR NOT EXISTS (SELECT 1 FROM "accounts_synced" AS synced WHERE synced."id" = own."id"));

-- What this database shows on top of a synced row, from the row's changes.
DROP TRIGGER IF EXISTS "_accounts_overlay";
CREATE TRIGGER "_accounts_overlay" INSTEAD OF INSERT ON "_overlay" WHEN NEW."entity" = 'accounts' BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('accounts', NEW."key");
  INSERT INTO "accounts_local" (
    "id", "name", "kind", "opening_balance", "overdraft_limit", "closed", "created_at", "updated_at",
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  SELECT CAST(NEW."key" AS TEXT),
    max(CASE cell."name" WHEN 'name' THEN cell."value" END),
    max(CASE cell."name" WHEN 'kind' THEN cell."value" END),
    max(CASE cell."name" WHEN 'opening_balance' THEN cell."value" END),
    max(CASE cell."name" WHEN 'overdraft_limit' THEN cell."value" END),
    max(CASE cell."name" WHEN 'closed' THEN cell."value" END),
    max(CASE cell."name" WHEN 'created_at' THEN cell."value" END),
    max(CASE cell."name" WHEN 'updated_at' THEN cell."value" END),
    json_group_array(cell."name") FILTER (WHERE cell."name" IS NOT NULL),
    EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = 'accounts' AND "key" = NEW."key"
      AND "operation" = 'insert' AND "id" > row."deleted" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')),
    row."deleted" > 0,
    (SELECT "write_id" FROM "_changes" WHERE "entity" = 'accounts' AND "key" = NEW."key"
      AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected') ORDER BY "id" DESC LIMIT 1)
  FROM (
    SELECT coalesce(max(CASE "operation" WHEN 'delete' THEN "id" END), 0) AS "deleted",
      coalesce(max("id"), 0) AS "first"
    FROM "_changes"
    WHERE "entity" = 'accounts' AND "key" = NEW."key" AND "operation" <> 'update' AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')) AS row
  LEFT JOIN (
    SELECT change."id" AS "id", cell."key" AS "name", cell."value" AS "value", cell."type" AS "type"
    FROM "_changes" AS change, json_each(change."value") AS cell
    WHERE change."entity" = 'accounts' AND change."key" = NEW."key" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')) AS cell
    ON cell."id" >= row."first" AND NOT EXISTS (
      SELECT 1 FROM "_changes" AS change, json_each(change."value") AS later
      WHERE change."entity" = 'accounts' AND change."key" = NEW."key" AND ("state" = 'acknowledged' OR "mode" = 'optimistic' AND "state" <> 'rejected')
        AND change."id" > cell."id" AND later."key" = cell."name")
  WHERE true
  ON CONFLICT ("id") DO UPDATE SET
    "name" = excluded."name",
    "kind" = excluded."kind",
    "opening_balance" = excluded."opening_balance",
    "overdraft_limit" = excluded."overdraft_limit",
    "closed" = excluded."closed",
    "created_at" = excluded."created_at",
    "updated_at" = excluded."updated_at",
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  DELETE FROM "accounts_local" WHERE "id" = CAST(NEW."key" AS TEXT) AND "_write_id" IS NULL;
END;
DROP TRIGGER IF EXISTS "_accounts_insert";
CREATE TRIGGER "_accounts_insert" INSTEAD OF INSERT ON "accounts" BEGIN
  SELECT RAISE(ABORT, 'accounts: a row needs its key') WHERE NEW."id" IS NULL;
  SELECT RAISE(ABORT, 'accounts: a row with this key is there')
  WHERE EXISTS (SELECT 1 FROM "accounts" WHERE "id" = lower(NEW."id"));
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value")
  SELECT 'accounts', CAST(lower(NEW."id") AS TEXT), 'insert', 'confirmed', (SELECT "id" FROM "_transaction"),
    coalesce(json_group_object(cell."name", json(cell."text")) FILTER (WHERE cell."text" IS NOT NULL), '{}')
  FROM (
    SELECT 'name' AS "name", CASE WHEN NEW."name" IS NULL THEN NULL ELSE json_quote(NEW."name") END AS "text"
    UNION ALL SELECT 'kind' AS "name", CASE WHEN NEW."kind" IS NULL THEN NULL ELSE json_quote(NEW."kind") END AS "text"
    UNION ALL SELECT 'opening_balance' AS "name", CASE WHEN NEW."opening_balance" IS NULL THEN NULL ELSE json_quote(NEW."opening_balance") END AS "text"
    UNION ALL SELECT 'overdraft_limit' AS "name", CASE WHEN NEW."overdraft_limit" IS NULL THEN NULL ELSE json_quote(NEW."overdraft_limit") END AS "text"
    UNION ALL SELECT 'closed' AS "name", CASE WHEN NEW."closed" IS NULL THEN NULL WHEN NEW."closed" THEN 'true' ELSE 'false' END AS "text"
    UNION ALL SELECT 'created_at' AS "name", CASE WHEN NEW."created_at" IS NULL THEN NULL ELSE json_quote(NEW."created_at") END AS "text"
    UNION ALL SELECT 'updated_at' AS "name", CASE WHEN NEW."updated_at" IS NULL THEN NULL ELSE json_quote(NEW."updated_at") END AS "text") AS cell;
END;

DROP TRIGGER IF EXISTS "_accounts_update";
CREATE TRIGGER "_accounts_update" INSTEAD OF UPDATE ON "accounts" BEGIN
  SELECT RAISE(ABORT, 'accounts: a key can''t change') WHERE NEW."id" IS NOT OLD."id";
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value", "base")
  SELECT 'accounts', CAST(OLD."id" AS TEXT), 'update', 'confirmed', (SELECT "id" FROM "_transaction"),
    json_group_object(cell."name", json(coalesce(cell."text", 'null'))),
    json_group_object(cell."name", json(coalesce(cell."base", 'null')))
  FROM (
    SELECT 'name' AS "name", CASE WHEN NEW."name" IS NULL THEN NULL ELSE json_quote(NEW."name") END AS "text", CASE WHEN OLD."name" IS NULL THEN NULL ELSE json_quote(OLD."name") END AS "base"
    WHERE NEW."name" IS NOT OLD."name"
    UNION ALL SELECT 'kind' AS "name", CASE WHEN NEW."kind" IS NULL THEN NULL ELSE json_quote(NEW."kind") END AS "text", CASE WHEN OLD."kind" IS NULL THEN NULL ELSE json_quote(OLD."kind") END AS "base"
    WHERE NEW."kind" IS NOT OLD."kind"
    UNION ALL SELECT 'opening_balance' AS "name", CASE WHEN NEW."opening_balance" IS NULL THEN NULL ELSE json_quote(NEW."opening_balance") END AS "text", CASE WHEN OLD."opening_balance" IS NULL THEN NULL ELSE json_quote(OLD."opening_balance") END AS "base"
    WHERE NEW."opening_balance" IS NOT OLD."opening_balance"
    UNION ALL SELECT 'overdraft_limit' AS "name", CASE WHEN NEW."overdraft_limit" IS NULL THEN NULL ELSE json_quote(NEW."overdraft_limit") END AS "text", CASE WHEN OLD."overdraft_limit" IS NULL THEN NULL ELSE json_quote(OLD."overdraft_limit") END AS "base"
    WHERE NEW."overdraft_limit" IS NOT OLD."overdraft_limit"
    UNION ALL SELECT 'closed' AS "name", CASE WHEN NEW."closed" IS NULL THEN NULL WHEN NEW."closed" THEN 'true' ELSE 'false' END AS "text", CASE WHEN OLD."closed" IS NULL THEN NULL WHEN OLD."closed" THEN 'true' ELSE 'false' END AS "base"
    WHERE NEW."closed" IS NOT OLD."closed"
    UNION ALL SELECT 'created_at' AS "name", CASE WHEN NEW."created_at" IS NULL THEN NULL ELSE json_quote(NEW."created_at") END AS "text", CASE WHEN OLD."created_at" IS NULL THEN NULL ELSE json_quote(OLD."created_at") END AS "base"
    WHERE NEW."created_at" IS NOT OLD."created_at"
    UNION ALL SELECT 'updated_at' AS "name", CASE WHEN NEW."updated_at" IS NULL THEN NULL ELSE json_quote(NEW."updated_at") END AS "text", CASE WHEN OLD."updated_at" IS NULL THEN NULL ELSE json_quote(OLD."updated_at") END AS "base"
    WHERE NEW."updated_at" IS NOT OLD."updated_at") AS cell
  HAVING count(*) > 0;
END;

DROP TRIGGER IF EXISTS "_accounts_delete";
CREATE TRIGGER "_accounts_delete" INSTEAD OF DELETE ON "accounts" BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "base")
  SELECT 'accounts', CAST(OLD."id" AS TEXT), 'delete', 'confirmed', (SELECT "id" FROM "_transaction"),
    coalesce(json_group_object(cell."name", json(coalesce(cell."text", 'null'))), '{}')
  FROM (
    SELECT 'name' AS "name", CASE WHEN OLD."name" IS NULL THEN NULL ELSE json_quote(OLD."name") END AS "text"
    UNION ALL SELECT 'kind' AS "name", CASE WHEN OLD."kind" IS NULL THEN NULL ELSE json_quote(OLD."kind") END AS "text"
    UNION ALL SELECT 'opening_balance' AS "name", CASE WHEN OLD."opening_balance" IS NULL THEN NULL ELSE json_quote(OLD."opening_balance") END AS "text"
    UNION ALL SELECT 'overdraft_limit' AS "name", CASE WHEN OLD."overdraft_limit" IS NULL THEN NULL ELSE json_quote(OLD."overdraft_limit") END AS "text"
    UNION ALL SELECT 'closed' AS "name", CASE WHEN OLD."closed" IS NULL THEN NULL WHEN OLD."closed" THEN 'true' ELSE 'false' END AS "text"
    UNION ALL SELECT 'created_at' AS "name", CASE WHEN OLD."created_at" IS NULL THEN NULL ELSE json_quote(OLD."created_at") END AS "text"
    UNION ALL SELECT 'updated_at' AS "name", CASE WHEN OLD."updated_at" IS NULL THEN NULL ELSE json_quote(OLD."updated_at") END AS "text") AS cell;
END;

-- An accepted write whose values the server shows has done its work, where no place in a log tells, and so have
-- those before it.
DROP TRIGGER IF EXISTS "_accounts_told";
CREATE TRIGGER "_accounts_told" INSTEAD OF INSERT ON "_told" WHEN NEW."entity" = 'accounts' BEGIN
  DELETE FROM "_changes" WHERE "entity" = 'accounts' AND "key" = NEW."key"
    AND "state" = 'acknowledged' AND "seq" IS NULL AND "id" <= (
      SELECT max(change."id") FROM "_changes" AS change
      LEFT JOIN "accounts_synced" AS synced ON synced."id" = CAST(NEW."key" AS TEXT)
      WHERE change."entity" = 'accounts' AND change."key" = NEW."key"
        AND change."state" = 'acknowledged' AND change."seq" IS NULL
        AND CASE change."operation" WHEN 'delete' THEN synced."id" IS NULL
          ELSE synced."id" IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM "_change_columns" AS cell WHERE cell."id" = change."id" AND cell."part" = 'value'
              AND CASE cell."name" WHEN 'name' THEN coalesce(CASE WHEN synced."name" IS NULL THEN NULL ELSE json_quote(synced."name") END, 'null') WHEN 'kind' THEN coalesce(CASE WHEN synced."kind" IS NULL THEN NULL ELSE json_quote(synced."kind") END, 'null') WHEN 'opening_balance' THEN coalesce(CASE WHEN synced."opening_balance" IS NULL THEN NULL ELSE json_quote(synced."opening_balance") END, 'null') WHEN 'overdraft_limit' THEN coalesce(CASE WHEN synced."overdraft_limit" IS NULL THEN NULL ELSE json_quote(synced."overdraft_limit") END, 'null') WHEN 'closed' THEN coalesce(CASE WHEN synced."closed" IS NULL THEN NULL WHEN synced."closed" THEN 'true' ELSE 'false' END, 'null') WHEN 'created_at' THEN coalesce(CASE WHEN synced."created_at" IS NULL THEN NULL ELSE json_quote(synced."created_at") END, 'null') WHEN 'updated_at' THEN coalesce(CASE WHEN synced."updated_at" IS NULL THEN NULL ELSE json_quote(synced."updated_at") END, 'null') END IS NOT cell."text") END);
END;
DROP TRIGGER IF EXISTS "_accounts_synced_insert";
CREATE TRIGGER "_accounts_synced_insert" AFTER INSERT ON "accounts_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('accounts', CAST(NEW."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'accounts' AND "key" = CAST(NEW."id" AS TEXT) LIMIT 1;
END;
DROP TRIGGER IF EXISTS "_accounts_synced_update";
CREATE TRIGGER "_accounts_synced_update" AFTER UPDATE ON "accounts_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('accounts', CAST(NEW."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'accounts' AND "key" = CAST(NEW."id" AS TEXT) LIMIT 1;
END;
DROP TRIGGER IF EXISTS "_accounts_synced_delete";
CREATE TRIGGER "_accounts_synced_delete" AFTER DELETE ON "accounts_synced" BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ('accounts', CAST(OLD."id" AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = 'accounts' AND "key" = CAST(OLD."id" AS TEXT) LIMIT 1;
END;
