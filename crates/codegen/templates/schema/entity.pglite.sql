-- {{ entity.name }}: what the server shows of it, what this database has written, and both as one view.

CREATE TABLE IF NOT EXISTS {{ synced }} (
  {{ key.column }} {{ key.type }} NOT NULL PRIMARY KEY,
{%- for field in shared %}
  {{ field.column }} {{ field.type }},
{%- endfor %}
  "_role" text
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
  -- The columns that changes set.
  "_changed_columns" text[] NOT NULL DEFAULT '{}',
  -- Whether a change makes the row, and whether one deletes what was there before.
  "_is_new" boolean NOT NULL DEFAULT false,
  "_is_deleted" boolean NOT NULL DEFAULT false,
  -- Of the last change.
  "_write_id" text
);
{% for field in references %}
INSERT INTO "_references" ("entity", "field", "target") VALUES ({{ name }}, {{ field.name }}, {{ field.target }})
ON CONFLICT ("entity", "field") DO UPDATE SET "target" = excluded."target";
{%- endfor %}
{%- for field in unique %}
INSERT INTO "_unique" ("entity", "field") VALUES ({{ name }}, {{ field }}) ON CONFLICT DO NOTHING;
{%- endfor %}
INSERT INTO "_shapes" ("entity") VALUES ({{ name }}) ON CONFLICT DO NOTHING;

DROP VIEW IF EXISTS {{ view }};
CREATE VIEW {{ view }} AS
SELECT synced.{{ key.column }} AS {{ key.column }},
{%- for field in shared %}
  CASE WHEN {{ field.name }} = ANY (own."_changed_columns") THEN own.{{ field.column }} ELSE synced.{{ field.column }} END AS {{ field.column }},
{%- endfor %}
{%- for field in private %}
  own.{{ field.column }} AS {{ field.column }},
{%- endfor %}
  synced."_role" AS "_role",
  own."_write_id" IS NOT NULL AS "_has_local_changes",
  own."_write_id" AS "_pending_write_id"
FROM {{ synced }} AS synced LEFT JOIN {{ local }} AS own ON own.{{ key.column }} = synced.{{ key.column }}
WHERE own."_is_deleted" IS NOT TRUE
UNION ALL
SELECT own.{{ key.column }},
{%- for field in shared %}
{%- if field.default is none %}
  own.{{ field.column }},
{%- else %}
  CASE WHEN {{ field.name }} = ANY (own."_changed_columns") THEN own.{{ field.column }} ELSE {{ field.default }} END,
{%- endif %}
{%- endfor %}
{%- for field in private %}
  own.{{ field.column }},
{%- endfor %}
  NULL,
  true,
  own."_write_id"
FROM {{ local }} AS own
WHERE own."_is_new" AND (
  own."_is_deleted"
  OR NOT EXISTS (SELECT 1 FROM {{ synced }} AS synced WHERE synced.{{ key.column }} = own.{{ key.column }}));

-- What this database shows on top of a synced row, from the row's changes.
-- The parameter goes by its place, and what is named both ways is the column: fields may have any name.
CREATE OR REPLACE FUNCTION {{ trigger.overlay }}(_key text) RETURNS void LANGUAGE plpgsql AS {{ body }}
#variable_conflict use_column
DECLARE
  _row record;
BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ({{ name }}, $1);
  SELECT * INTO _row FROM "_overlay"({{ name }}, $1);
  INSERT INTO {{ local }} AS own (
    {{ key.column }}{% for field in shared %}, {{ field.column }}{% endfor %},
    "_changed_columns", "_is_new", "_is_deleted", "_write_id")
  VALUES (
    $1::{{ key.type }},
{%- for field in shared %}
    {{ field.from_json }},
{%- endfor %}
    ARRAY(SELECT jsonb_object_keys(_row."value")), _row."is_new", _row."is_deleted", _row."write_id")
  ON CONFLICT ({{ key.column }}) DO UPDATE SET
{%- for field in shared %}
    {{ field.column }} = excluded.{{ field.column }},
{%- endfor %}
    "_changed_columns" = excluded."_changed_columns", "_is_new" = excluded."_is_new",
    "_is_deleted" = excluded."_is_deleted", "_write_id" = excluded."_write_id";
  IF _row."write_id" IS NULL THEN
    DELETE FROM {{ local }} WHERE {{ key.column }} = $1::{{ key.type }}
    {%- for field in private %} AND {{ field.column }} IS NULL{% endfor %};
  END IF;
END
{{ body }};
CREATE OR REPLACE FUNCTION {{ trigger.overlay }}() RETURNS trigger LANGUAGE plpgsql AS {{ body }}
BEGIN
  PERFORM {{ trigger.overlay }}(CASE TG_OP WHEN 'DELETE' THEN OLD."key" ELSE NEW."key" END);
  RETURN NULL;
END
{{ body }};
DROP TRIGGER IF EXISTS {{ trigger.overlay }} ON "_changes";
CREATE TRIGGER {{ trigger.overlay }} AFTER INSERT ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = {{ name }}) EXECUTE FUNCTION {{ trigger.overlay }}();
-- That a write is under way, or accepted, changes nothing of what is shown of it.
DROP TRIGGER IF EXISTS {{ trigger.moved }} ON "_changes";
CREATE TRIGGER {{ trigger.moved }} AFTER UPDATE OF "value", "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = {{ name }} AND (
  NEW."value" <> OLD."value"
  OR (NEW."state" = 'acknowledged' OR NEW."mode" = 'optimistic' AND NEW."state" <> 'rejected')
    <> (OLD."state" = 'acknowledged' OR OLD."mode" = 'optimistic' AND OLD."state" <> 'rejected')))
EXECUTE FUNCTION {{ trigger.overlay }}();
DROP TRIGGER IF EXISTS {{ trigger.dropped }} ON "_changes";
CREATE TRIGGER {{ trigger.dropped }} AFTER DELETE ON "_changes"
FOR EACH ROW WHEN (OLD."entity" = {{ name }}) EXECUTE FUNCTION {{ trigger.overlay }}();
{% if private %}
-- What never leaves this database goes when the server has accepted that its row was deleted here, and when a
-- row that was made here comes to nothing. Of a row that the server shows no more, it stays: the row may come back.
CREATE OR REPLACE FUNCTION {{ trigger.forgotten }}() RETURNS trigger LANGUAGE plpgsql AS {{ body }}
#variable_conflict use_column
DECLARE
  _change "_changes";
BEGIN
  IF TG_OP = 'DELETE' THEN
    _change := OLD;
    IF EXISTS (SELECT 1 FROM {{ synced }} WHERE {{ key.column }} = _change."key"::{{ key.type }})
      OR EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = {{ name }} AND "key" = _change."key"
        AND NOT ("operation" = 'delete' AND "state" = 'pending'))
    THEN
      RETURN NULL;
    END IF;
  ELSE
    _change := NEW;
    IF EXISTS (SELECT 1 FROM "_changes"
      WHERE "entity" = {{ name }} AND "key" = _change."key" AND "id" > _change."id")
    THEN
      RETURN NULL;
    END IF;
  END IF;
  UPDATE {{ local }} SET {% for field in private %}{{ field.column }} = NULL{{ ", " if not loop.last }}{% endfor %}
  WHERE {{ key.column }} = _change."key"::{{ key.type }};
  PERFORM {{ trigger.overlay }}(_change."key");
  RETURN NULL;
END
{{ body }};
DROP TRIGGER IF EXISTS {{ trigger.forgotten }} ON "_changes";
CREATE TRIGGER {{ trigger.forgotten }} AFTER UPDATE OF "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = {{ name }} AND NEW."operation" = 'delete' AND NEW."state" = 'acknowledged')
EXECUTE FUNCTION {{ trigger.forgotten }}();
DROP TRIGGER IF EXISTS {{ trigger.unmade }} ON "_changes";
CREATE TRIGGER {{ trigger.unmade }} AFTER DELETE ON "_changes"
FOR EACH ROW WHEN (OLD."entity" = {{ name }} AND OLD."operation" = 'insert' AND OLD."state" <> 'acknowledged')
EXECUTE FUNCTION {{ trigger.forgotten }}();
{% endif %}
CREATE OR REPLACE FUNCTION {{ trigger.insert }}() RETURNS trigger LANGUAGE plpgsql AS {{ body }}
BEGIN
  IF NEW.{{ key.column }} IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'not_null_violation', MESSAGE = {{ message.no_key }};
  END IF;
  IF EXISTS (SELECT 1 FROM {{ view }} WHERE {{ key.column }} = {{ key.new_value }}) THEN
    RAISE EXCEPTION USING ERRCODE = 'unique_violation', MESSAGE = {{ message.exists }};
  END IF;
{%- if private %}
  INSERT INTO {{ local }} ({{ key.column }}{% for field in private %}, {{ field.column }}{% endfor %})
  VALUES ({{ key.new_value }}{% for field in private %}, NEW.{{ field.column }}{% endfor %})
  ON CONFLICT ({{ key.column }}) DO UPDATE SET
    {% for field in private %}{{ field.column }} = excluded.{{ field.column }}{{ ", " if not loop.last }}{% endfor %};
{%- endif %}
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value")
  VALUES ({{ name }}, ({{ key.new_value }})::text, 'insert', {{ mode }}, {% if shared %}(
    SELECT coalesce(jsonb_object_agg(cell."name", cell."json"), '{}')
    FROM (VALUES
{%- for field in shared %}
      ({{ field.name }}, {{ field.insert_json }}){{ "," if not loop.last }}
{%- endfor %}) AS cell ("name", "json")
    WHERE cell."json" IS NOT NULL){% else %}'{}'{% endif %});
  RETURN NEW;
END
{{ body }};
DROP TRIGGER IF EXISTS {{ trigger.insert }} ON {{ view }};
CREATE TRIGGER {{ trigger.insert }} INSTEAD OF INSERT ON {{ view }}
FOR EACH ROW EXECUTE FUNCTION {{ trigger.insert }}();

CREATE OR REPLACE FUNCTION {{ trigger.update }}() RETURNS trigger LANGUAGE plpgsql AS {{ body }}
{%- if shared %}
#variable_conflict use_column
DECLARE
  _value jsonb;
  _base jsonb;
{%- endif %}
BEGIN
  IF NEW.{{ key.column }} IS DISTINCT FROM OLD.{{ key.column }} THEN
    RAISE EXCEPTION USING MESSAGE = {{ message.moved }};
  END IF;
{%- if private %}
  IF {% for field in private %}NEW.{{ field.column }} IS DISTINCT FROM OLD.{{ field.column }}{{ " OR " if not loop.last }}{% endfor %} THEN
    INSERT INTO {{ local }} ({{ key.column }}{% for field in private %}, {{ field.column }}{% endfor %})
    VALUES (NEW.{{ key.column }}{% for field in private %}, NEW.{{ field.column }}{% endfor %})
    ON CONFLICT ({{ key.column }}) DO UPDATE SET
      {% for field in private %}{{ field.column }} = excluded.{{ field.column }}{{ ", " if not loop.last }}{% endfor %};
    INSERT INTO "_touched" ("entity", "key") VALUES ({{ name }}, NEW.{{ key.column }}::text);
  END IF;
{%- endif %}
{%- if shared %}
  SELECT jsonb_object_agg(cell."name", cell."json"), jsonb_object_agg(cell."name", cell."base")
  INTO _value, _base
  FROM (VALUES
{%- for field in shared %}
    ({{ field.name }}, {{ field.new_json }}, {{ field.old_json }}){{ "," if not loop.last }}
{%- endfor %}) AS cell ("name", "json", "base")
  WHERE cell."json" IS DISTINCT FROM cell."base";
  IF _value IS NOT NULL THEN
    INSERT INTO "_changes" ("entity", "key", "operation", "mode", "value", "base")
    VALUES ({{ name }}, NEW.{{ key.column }}::text, 'update', {{ mode }}, _value, _base);
  END IF;
{%- endif %}
  RETURN NEW;
END
{{ body }};
DROP TRIGGER IF EXISTS {{ trigger.update }} ON {{ view }};
CREATE TRIGGER {{ trigger.update }} INSTEAD OF UPDATE ON {{ view }}
FOR EACH ROW EXECUTE FUNCTION {{ trigger.update }}();

CREATE OR REPLACE FUNCTION {{ trigger.delete }}() RETURNS trigger LANGUAGE plpgsql AS {{ body }}
BEGIN
  INSERT INTO "_changes" ("entity", "key", "operation", "mode", "base")
  VALUES ({{ name }}, OLD.{{ key.column }}::text, 'delete', {{ mode }}, {% if shared %}(
    SELECT coalesce(jsonb_object_agg(cell."name", cell."json"), '{}')
    FROM (VALUES
{%- for field in shared %}
      ({{ field.name }}, {{ field.old_json }}){{ "," if not loop.last }}
{%- endfor %}) AS cell ("name", "json")){% else %}'{}'{% endif %});
  RETURN OLD;
END
{{ body }};
DROP TRIGGER IF EXISTS {{ trigger.delete }} ON {{ view }};
CREATE TRIGGER {{ trigger.delete }} INSTEAD OF DELETE ON {{ view }}
FOR EACH ROW EXECUTE FUNCTION {{ trigger.delete }}();

-- An accepted write whose values the server shows has done its work, where no place in a log tells, and so have
-- those before it.
CREATE OR REPLACE FUNCTION {{ trigger.told }}(_key text) RETURNS void LANGUAGE plpgsql AS {{ body }}
#variable_conflict use_column
DECLARE
  _row jsonb;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM "_changes" WHERE "entity" = {{ name }} AND "key" = $1
    AND "state" = 'acknowledged' AND "seq" IS NULL)
  THEN
    RETURN;
  END IF;
  SELECT {% if shared %}(
    SELECT jsonb_object_agg(cell."name", coalesce(cell."json", 'null'))
    FROM (VALUES
{%- for field in shared %}
      ({{ field.name }}, {{ field.synced_json }}){{ "," if not loop.last }}
{%- endfor %}) AS cell ("name", "json")){% else %}'{}'::jsonb{% endif %}
  INTO _row FROM {{ synced }} AS synced WHERE synced.{{ key.column }} = $1::{{ key.type }};
  DELETE FROM "_changes" WHERE "entity" = {{ name }} AND "key" = $1
    AND "state" = 'acknowledged' AND "seq" IS NULL AND "id" <= (
      SELECT max("id") FROM "_changes" WHERE "entity" = {{ name }} AND "key" = $1
        AND "state" = 'acknowledged' AND "seq" IS NULL
        AND CASE "operation" WHEN 'delete' THEN _row IS NULL ELSE _row || "value" = _row END);
END
{{ body }};
CREATE OR REPLACE FUNCTION {{ trigger.told }}() RETURNS trigger LANGUAGE plpgsql AS {{ body }}
BEGIN
  PERFORM {{ trigger.told }}(NEW."key");
  RETURN NULL;
END
{{ body }};
DROP TRIGGER IF EXISTS {{ trigger.told }} ON "_changes";
CREATE TRIGGER {{ trigger.told }} AFTER UPDATE OF "state" ON "_changes"
FOR EACH ROW WHEN (NEW."entity" = {{ name }} AND NEW."state" = 'acknowledged' AND NEW."seq" IS NULL)
EXECUTE FUNCTION {{ trigger.told }}();
CREATE OR REPLACE FUNCTION {{ trigger.synced }}() RETURNS trigger LANGUAGE plpgsql AS {{ body }}
DECLARE
  _key text := CASE TG_OP WHEN 'DELETE' THEN OLD.{{ key.column }} ELSE NEW.{{ key.column }} END;
BEGIN
  INSERT INTO "_touched" ("entity", "key") VALUES ({{ name }}, _key);
  PERFORM {{ trigger.told }}(_key);
  RETURN NULL;
END
{{ body }};
DROP TRIGGER IF EXISTS {{ trigger.synced }} ON {{ synced }};
CREATE TRIGGER {{ trigger.synced }} AFTER INSERT OR UPDATE OR DELETE ON {{ synced }}
FOR EACH ROW EXECUTE FUNCTION {{ trigger.synced }}();
