-- {{ entity.name }}: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS {{ synced }} (
  {{ key.column }} {{ key.type }} NOT NULL PRIMARY KEY,
{%- for field in shared %}
  {{ field.column }} {{ field.type }},
{%- endfor %}
  "_role" TEXT
);

-- Made by the triggers below alone, but for columns that never leave this database.
CREATE TABLE IF NOT EXISTS {{ local }} (
  {{ key.column }} {{ key.type }} NOT NULL PRIMARY KEY,
{%- for field in shared %}
  {{ field.column }} {{ field.type }},
{%- endfor %}
{%- for field in private %}
  {{ field.column }} {{ field.type }},
{%- endfor %}
  -- A JSON array of the columns that changes set.
  "_changed_columns" TEXT NOT NULL DEFAULT '[]',
  -- Whether a change makes the row, and whether one deletes what was there before.
  "_is_new" INTEGER NOT NULL DEFAULT 0,
  "_is_deleted" INTEGER NOT NULL DEFAULT 0,
  -- Of the last change.
  "_write_id" TEXT
);
{% for field in references %}
INSERT OR REPLACE INTO "_references" ("entity", "field", "target")
VALUES ({{ name }}, {{ field.name }}, {{ field.target }});
{%- endfor %}
{%- for field in unique %}
INSERT OR IGNORE INTO "_unique" ("entity", "field") VALUES ({{ name }}, {{ field }});
{%- endfor %}
INSERT OR IGNORE INTO "_shapes" ("entity") VALUES ({{ name }});

DROP VIEW IF EXISTS {{ view }};
CREATE VIEW {{ view }} AS
SELECT synced.{{ key.column }} AS {{ key.column }},
{%- for field in shared %}
  CASE WHEN instr(own."_changed_columns", {{ field.listed }}) > 0 THEN own.{{ field.column }} ELSE synced.{{ field.column }} END AS {{ field.column }},
{%- endfor %}
{%- for field in private %}
  own.{{ field.column }} AS {{ field.column }},
{%- endfor %}
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM {{ synced }} AS synced LEFT JOIN {{ local }} AS own ON own.{{ key.column }} = synced.{{ key.column }}
WHERE own."_is_deleted" IS NOT 1
UNION ALL
SELECT own.{{ key.column }},
{%- for field in shared %}
{%- if field.default is none %}
  own.{{ field.column }},
{%- else %}
  CASE WHEN instr(own."_changed_columns", {{ field.listed }}) > 0 THEN own.{{ field.column }} ELSE {{ field.default }} END,
{%- endif %}
{%- endfor %}
{%- for field in private %}
  own.{{ field.column }},
{%- endfor %}
  NULL,
  1,
  own."_write_id"
FROM {{ local }} AS own
WHERE own."_is_new" = 1 AND (
  own."_is_deleted" = 1
  OR NOT EXISTS (SELECT 1 FROM {{ synced }} AS synced WHERE synced.{{ key.column }} = own.{{ key.column }}));

-- What this database shows on top of a synced row, from the row's changes.
DROP TRIGGER IF EXISTS {{ trigger.overlay }};
CREATE TRIGGER {{ trigger.overlay }} INSTEAD OF INSERT ON "_overlay" WHEN NEW."entity" = {{ name }} BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ({{ name }}, NEW."key");
  INSERT INTO {{ local }} (
    {{ key.column }}{% for field in shared %}, {{ field.column }}{% endfor %},
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  SELECT CAST(NEW."key" AS {{ key.type }}),
{%- for field in shared %}
    max(CASE cell."name" WHEN {{ field.name }} THEN {{ field.from_json }} END),
{%- endfor %}
    json_group_array(cell."name") FILTER (WHERE cell."name" IS NOT NULL),
    EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = {{ name }} AND "key" = NEW."key"
      AND "operation" = 'insert' AND "id" > row."deleted" AND {{ shown }}),
    row."deleted" > 0,
    (SELECT "write_id" FROM "_changes" WHERE "entity" = {{ name }} AND "key" = NEW."key"
      AND {{ shown }} ORDER BY "id" DESC LIMIT 1)
  FROM (
    SELECT coalesce(max(CASE "operation" WHEN 'delete' THEN "id" END), 0) AS "deleted",
      coalesce(max("id"), 0) AS "first"
    FROM "_changes"
    WHERE "entity" = {{ name }} AND "key" = NEW."key" AND "operation" <> 'update' AND {{ shown }}) AS row
  LEFT JOIN (
    SELECT change."id" AS "id", cell."key" AS "name", cell."value" AS "value", cell."type" AS "type"
    FROM "_changes" AS change, json_each(change."value") AS cell
    WHERE change."entity" = {{ name }} AND change."key" = NEW."key" AND {{ shown }}) AS cell
    ON cell."id" >= row."first" AND NOT EXISTS (
      SELECT 1 FROM "_changes" AS change, json_each(change."value") AS later
      WHERE change."entity" = {{ name }} AND change."key" = NEW."key" AND {{ shown }}
        AND change."id" > cell."id" AND later."key" = cell."name")
  WHERE true
  ON CONFLICT ({{ key.column }}) DO UPDATE SET
{%- for field in shared %}
    {{ field.column }} = excluded.{{ field.column }},
{%- endfor %}
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  DELETE FROM {{ local }} WHERE {{ key.column }} = CAST(NEW."key" AS {{ key.type }}) AND "_write_id" IS NULL
    {%- for field in private %} AND {{ field.column }} IS NULL{% endfor %};
END;
{% if private %}
-- What never leaves this database goes when the server has accepted that its row was deleted here, and when a
-- row that was made here comes to nothing. Of a row that the server shows no more, it stays: the row may come back.
DROP TRIGGER IF EXISTS {{ trigger.forgotten }};
CREATE TRIGGER {{ trigger.forgotten }} AFTER UPDATE OF "state" ON "_changes"
WHEN NEW."entity" = {{ name }} AND NEW."operation" = 'delete' AND NEW."state" = 'acknowledged'
  AND NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = {{ name }} AND "key" = NEW."key" AND "id" > NEW."id")
BEGIN
  UPDATE {{ local }} SET {% for field in private %}{{ field.column }} = NULL{{ ", " if not loop.last }}{% endfor %}
  WHERE {{ key.column }} = CAST(NEW."key" AS {{ key.type }});
  INSERT INTO "_overlay" ("entity", "key") VALUES ({{ name }}, NEW."key");
END;
DROP TRIGGER IF EXISTS {{ trigger.unmade }};
CREATE TRIGGER {{ trigger.unmade }} AFTER DELETE ON "_changes"
WHEN OLD."entity" = {{ name }} AND OLD."operation" = 'insert' AND OLD."state" <> 'acknowledged'
  AND NOT EXISTS (SELECT 1 FROM {{ synced }} WHERE {{ key.column }} = CAST(OLD."key" AS {{ key.type }}))
  AND NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = {{ name }} AND "key" = OLD."key"
    AND NOT ("operation" = 'delete' AND "state" = 'pending'))
BEGIN
  UPDATE {{ local }} SET {% for field in private %}{{ field.column }} = NULL{{ ", " if not loop.last }}{% endfor %}
  WHERE {{ key.column }} = CAST(OLD."key" AS {{ key.type }});
  INSERT INTO "_overlay" ("entity", "key") VALUES ({{ name }}, OLD."key");
END;
{% endif -%}

DROP TRIGGER IF EXISTS {{ trigger.insert }};
CREATE TRIGGER {{ trigger.insert }} INSTEAD OF INSERT ON {{ view }} BEGIN
  SELECT RAISE(ABORT, {{ message.no_key }}) WHERE NEW.{{ key.column }} IS NULL;
  SELECT RAISE(ABORT, {{ message.exists }})
  WHERE EXISTS (SELECT 1 FROM {{ view }} WHERE {{ key.column }} = {{ key.new_value }});
{%- if private %}
  INSERT INTO {{ local }} ({{ key.column }}{% for field in private %}, {{ field.column }}{% endfor %})
  VALUES ({{ key.new_value }}{% for field in private %}, NEW.{{ field.column }}{% endfor %})
  ON CONFLICT ({{ key.column }}) DO UPDATE SET
    {% for field in private %}{{ field.column }} = excluded.{{ field.column }}{{ ", " if not loop.last }}{% endfor %};
{%- endif %}
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value")
  SELECT {{ name }}, CAST({{ key.new_value }} AS TEXT), 'insert', {{ mode }}, (SELECT "id" FROM "_transaction"),
{%- if shared %}
    coalesce(json_group_object(cell."name", json(cell."text")) FILTER (WHERE cell."text" IS NOT NULL), '{}')
  FROM (
{%- for field in shared %}
    {{ "UNION ALL " if not loop.first }}SELECT {{ field.name }} AS "name", {{ field.insert_json }} AS "text"
{%- endfor %}) AS cell;
{%- else %} '{}';
{%- endif %}
END;

DROP TRIGGER IF EXISTS {{ trigger.update }};
CREATE TRIGGER {{ trigger.update }} INSTEAD OF UPDATE ON {{ view }} BEGIN
  SELECT RAISE(ABORT, {{ message.moved }}) WHERE NEW.{{ key.column }} IS NOT OLD.{{ key.column }};
{%- if private %}
  INSERT INTO {{ local }} ({{ key.column }}{% for field in private %}, {{ field.column }}{% endfor %})
  SELECT NEW.{{ key.column }}{% for field in private %}, NEW.{{ field.column }}{% endfor %}
  WHERE {% for field in private %}NEW.{{ field.column }} IS NOT OLD.{{ field.column }}{{ " OR " if not loop.last }}{% endfor %}
  ON CONFLICT ({{ key.column }}) DO UPDATE SET
    {% for field in private %}{{ field.column }} = excluded.{{ field.column }}{{ ", " if not loop.last }}{% endfor %};
  INSERT INTO "_touched" ("entity", "key") VALUES ({{ name }}, CAST(OLD.{{ key.column }} AS TEXT));
{%- endif %}
{%- if shared %}
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "value", "base")
  SELECT {{ name }}, CAST(OLD.{{ key.column }} AS TEXT), 'update', {{ mode }}, (SELECT "id" FROM "_transaction"),
    json_group_object(cell."name", json(coalesce(cell."text", 'null'))),
    json_group_object(cell."name", json(coalesce(cell."base", 'null')))
  FROM (
{%- for field in shared %}
    {{ "UNION ALL " if not loop.first }}SELECT {{ field.name }} AS "name", {{ field.new_json }} AS "text", {{ field.old_json }} AS "base"
    WHERE {{ field.new_value }} IS NOT {{ field.old_value }}
{%- endfor %}) AS cell
  HAVING count(*) > 0;
{%- endif %}
END;

DROP TRIGGER IF EXISTS {{ trigger.delete }};
CREATE TRIGGER {{ trigger.delete }} INSTEAD OF DELETE ON {{ view }} BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "transaction_id", "base")
  SELECT {{ name }}, CAST(OLD.{{ key.column }} AS TEXT), 'delete', {{ mode }}, (SELECT "id" FROM "_transaction"),
{%- if shared %}
    coalesce(json_group_object(cell."name", json(coalesce(cell."text", 'null'))), '{}')
  FROM (
{%- for field in shared %}
    {{ "UNION ALL " if not loop.first }}SELECT {{ field.name }} AS "name", {{ field.old_json }} AS "text"
{%- endfor %}) AS cell;
{%- else %} '{}';
{%- endif %}
END;

-- An accepted write whose values the server shows has done its work, where no place in a log tells, and so have
-- those before it.
DROP TRIGGER IF EXISTS {{ trigger.told }};
CREATE TRIGGER {{ trigger.told }} INSTEAD OF INSERT ON "_told" WHEN NEW."entity" = {{ name }} BEGIN
  DELETE FROM "_changes" WHERE "entity" = {{ name }} AND "key" = NEW."key"
    AND "state" = 'acknowledged' AND "seq" IS NULL AND "id" <= (
      SELECT max(change."id") FROM "_changes" AS change
      LEFT JOIN {{ synced }} AS synced ON synced.{{ key.column }} = CAST(NEW."key" AS {{ key.type }})
      WHERE change."entity" = {{ name }} AND change."key" = NEW."key"
        AND change."state" = 'acknowledged' AND change."seq" IS NULL
        AND CASE change."operation" WHEN 'delete' THEN synced.{{ key.column }} IS NULL
          ELSE synced.{{ key.column }} IS NOT NULL
{%- if shared %} AND NOT EXISTS (
            SELECT 1 FROM "_change_columns" AS cell WHERE cell."id" = change."id" AND cell."part" = 'value'
              AND CASE cell."name"
{%- for field in shared %} WHEN {{ field.name }} THEN coalesce({{ field.synced_json }}, 'null'){% endfor %} END IS NOT cell."text")
{%- endif %} END);
END;
DROP TRIGGER IF EXISTS {{ trigger.synced_insert }};
CREATE TRIGGER {{ trigger.synced_insert }} AFTER INSERT ON {{ synced }} BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ({{ name }}, CAST(NEW.{{ key.column }} AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = {{ name }} AND "key" = CAST(NEW.{{ key.column }} AS TEXT) LIMIT 1;
END;
DROP TRIGGER IF EXISTS {{ trigger.synced_update }};
CREATE TRIGGER {{ trigger.synced_update }} AFTER UPDATE ON {{ synced }} BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ({{ name }}, CAST(NEW.{{ key.column }} AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = {{ name }} AND "key" = CAST(NEW.{{ key.column }} AS TEXT) LIMIT 1;
END;
DROP TRIGGER IF EXISTS {{ trigger.synced_delete }};
CREATE TRIGGER {{ trigger.synced_delete }} AFTER DELETE ON {{ synced }} BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ({{ name }}, CAST(OLD.{{ key.column }} AS TEXT));
  INSERT INTO "_told" ("entity", "key") SELECT "entity", "key" FROM "_changes"
  WHERE "entity" = {{ name }} AND "key" = CAST(OLD.{{ key.column }} AS TEXT) LIMIT 1;
END;
