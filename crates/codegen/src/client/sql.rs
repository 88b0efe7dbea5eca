//! The tables, views and triggers of a local database, for Postgres and for SQLite.

use serde::Serialize;
use serde_json::Value;
use syncline_model::schema::FieldKind;

use super::view::{ClientView, EntityView, FieldView};
use super::{File, Templates, name_of, of_each};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Pglite,
    Sqlite,
}

/// What the templates of one entity see.
#[derive(Debug, Serialize)]
struct SqlView {
    entity: TitleView,
    /// The entity's name as a text of SQL.
    name: String,
    view: String,
    synced: String,
    local: String,
    key: ColumnView,
    shared: Vec<ColumnView>,
    private: Vec<ColumnView>,
    references: Vec<ReferenceView>,
    /// The fields of sets that are one row's alone, as texts of SQL.
    unique: Vec<String>,
    /// As a text of SQL.
    mode: String,
    /// The condition under which a change is shown.
    shown: &'static str,
    /// What a function's body stands between: no name holds it.
    body: String,
    trigger: TriggerView,
    message: MessageView,
}

/// An entity in a comment.
#[derive(Debug, Serialize)]
struct TitleView {
    name: String,
}

#[derive(Debug, Serialize)]
struct ColumnView {
    column: String,
    /// The field's name as a text of SQL.
    name: String,
    r#type: &'static str,
    /// The column's value out of a change.
    from_json: String,
    /// The JSON of the column's value in a trigger's new and old row, and in the server's.
    new_json: String,
    old_json: String,
    synced_json: String,
    /// The new row's value, and what it is compared with in SQLite: of JSON not how it is written.
    new_value: String,
    old_value: String,
    /// The JSON of a new row's value: a column that must be given is given as null where it is.
    insert_json: String,
    /// The field's name as it stands in a list of names.
    listed: String,
    /// What a row that was made here shows where it does not name the field.
    default: Option<String>,
}

#[derive(Debug, Serialize)]
struct ReferenceView {
    name: String,
    target: String,
}

#[derive(Debug, Serialize)]
struct TriggerView {
    overlay: String,
    moved: String,
    dropped: String,
    insert: String,
    update: String,
    delete: String,
    told: String,
    unmade: String,
    forgotten: String,
    synced: String,
    synced_insert: String,
    synced_update: String,
    synced_delete: String,
}

#[derive(Debug, Serialize)]
struct MessageView {
    no_key: String,
    exists: String,
    moved: String,
}

/// The SQL files.
pub(super) fn files(view: &ClientView, templates: &Templates) -> Vec<File> {
    let mut files = Vec::new();
    for (dialect, extension) in [(Dialect::Pglite, "pglite"), (Dialect::Sqlite, "sqlite")] {
        let changes = templates.file(
            &format!("schema/changes.{extension}.sql"),
            format!("schema/_changes.{extension}.sql"),
            &(),
        );
        let entities = of_each(&view.entities, |entity| {
            vec![templates.file(
                &format!("schema/entity.{extension}.sql"),
                format!("schema/{}.{extension}.sql", entity.file),
                &SqlView::new(entity, dialect),
            )]
        });
        let statements: Vec<&str> = [&changes]
            .into_iter()
            .chain(&entities)
            .map(|file| file.text.as_str())
            .collect();
        let local = LocalView {
            version: &view.version,
            statements: name_of(&statements),
            changes: &changes.text,
            entities: view
                .entities
                .iter()
                .zip(&entities)
                .map(|(entity, file)| (entity.variable.as_str(), file.text.as_str()))
                .collect(),
        };
        files.push(templates.file(
            "typescript/local.ts",
            format!("schema/{extension}.ts"),
            &local,
        ));
        files.push(changes);
        files.extend(entities);
    }
    files
}

/// What the template of the module that holds the statements for a browser sees.
#[derive(Debug, Serialize)]
struct LocalView<'a> {
    version: &'a str,
    /// Names the statements: those of another release of the generator may be others of the same document.
    statements: String,
    changes: &'a str,
    /// The entities' variables, and their statements.
    entities: Vec<(&'a str, &'a str)>,
}

impl SqlView {
    fn new(entity: &EntityView, dialect: Dialect) -> Self {
        let name = &entity.name;
        let column = |field: &FieldView| ColumnView::new(field, dialect);
        let trigger = |what: &str| identifier(&format!("_{name}_{what}"));
        Self {
            name: text(name),
            view: identifier(name),
            synced: identifier(&format!("{name}_synced")),
            local: identifier(&format!("{name}_local")),
            key: column(&entity.key),
            shared: entity.shared().map(column).collect(),
            private: entity.private().map(column).collect(),
            references: entity
                .shared()
                .filter_map(|field| {
                    Some(ReferenceView {
                        name: text(&field.name),
                        target: text(field.references.as_ref()?),
                    })
                })
                .collect(),
            unique: entity.unique.iter().map(|field| text(field)).collect(),
            mode: text(if entity.mode == "optimistic" {
                "optimistic"
            } else {
                "confirmed"
            }),
            body: body(entity),
            shown: "(\"state\" = 'acknowledged' OR \"mode\" = 'optimistic' AND \"state\" <> 'rejected')",
            trigger: TriggerView {
                overlay: trigger("overlay"),
                moved: trigger("moved"),
                dropped: trigger("dropped"),
                insert: trigger("insert"),
                update: trigger("update"),
                delete: trigger("delete"),
                told: trigger("told"),
                unmade: trigger("unmade"),
                forgotten: trigger("forgotten"),
                synced: trigger("synced"),
                synced_insert: trigger("synced_insert"),
                synced_update: trigger("synced_update"),
                synced_delete: trigger("synced_delete"),
            },
            message: MessageView {
                no_key: text(&format!("{name}: a row needs its key")),
                exists: text(&format!("{name}: a row with this key is there")),
                moved: text(&format!("{name}: a key can't change")),
            },
            entity: TitleView {
                name: entity.name.clone(),
            },
        }
    }
}

impl ColumnView {
    fn new(field: &FieldView, dialect: Dialect) -> Self {
        let column = identifier(&field.name);
        let name = text(&field.name);
        let r#type = column_type(dialect, &field.kind);
        let (from_json, json): (String, fn(&FieldKind, &str) -> String) = match dialect {
            Dialect::Pglite if field.kind == FieldKind::Json => {
                (format!("nullif(_row.\"value\" -> {name}, 'null')"), pglite_json)
            }
            Dialect::Pglite => (format!("(_row.\"value\" ->> {name})::{type}"), pglite_json),
            Dialect::Sqlite if field.kind == FieldKind::Json => (
                "CASE cell.\"type\" WHEN 'object' THEN cell.\"value\" WHEN 'array' THEN cell.\"value\" \
                 WHEN 'null' THEN NULL WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' \
                 ELSE json_quote(cell.\"value\") END"
                    .to_owned(),
                sqlite_json,
            ),
            Dialect::Sqlite => ("cell.\"value\"".to_owned(), sqlite_json),
        };
        let made = json(&field.kind, &of_view(dialect, field, None));
        let new = of_view(dialect, field, Some(&format!("OLD.{column}")));
        Self {
            insert_json: if field.is_required && field.is_nullable {
                format!("coalesce({made}, 'null')")
            } else {
                made
            },
            new_json: json(&field.kind, &new),
            old_json: json(&field.kind, &format!("OLD.{column}")),
            synced_json: json(&field.kind, &format!("synced.{column}")),
            new_value: compared(&field.kind, new),
            old_value: compared(&field.kind, format!("OLD.{column}")),
            default: field
                .default
                .as_ref()
                .and_then(|value| default_of(dialect, &field.kind, value)),
            // As SQLite writes a name into a JSON array.
            listed: text(&serde_json::to_string(&field.name).expect("a text is JSON")),
            column,
            name,
            r#type,
            from_json,
        }
    }
}

/// A quote of Postgres that stands in no name of the entity.
fn body(entity: &EntityView) -> String {
    let names = || {
        let fields = entity.fields.iter();
        let targets = fields.clone().filter_map(|field| field.references.as_ref());
        let names = fields.map(|field| &field.name).chain(targets);
        names.chain([&entity.name])
    };
    (0..)
        .map(|at| format!("$body{at}$"))
        .find(|quote| !names().any(|name| name.contains(quote.as_str())))
        .expect("names hold a finite number of quotes")
}

/// A default as the columns of its kind hold it; none where it is not of that kind.
fn default_of(dialect: Dialect, kind: &FieldKind, value: &Value) -> Option<String> {
    match kind {
        FieldKind::Boolean => Some(match (dialect, value.as_bool()?) {
            (Dialect::Pglite, is_true) => is_true.to_string(),
            (Dialect::Sqlite, is_true) => u8::from(is_true).to_string(),
        }),
        FieldKind::Int32 => i32::try_from(value.as_i64()?).ok().map(|it| it.to_string()),
        FieldKind::Int64 => Some(value.as_i64()?.to_string()),
        FieldKind::Float => Some(value.as_f64()?.to_string()),
        FieldKind::Decimal => {
            let digits = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            digits.parse::<f64>().ok()?;
            Some(text(&digits))
        }
        FieldKind::Json => Some(text(&value.to_string())),
        FieldKind::Text
        | FieldKind::Uuid
        | FieldKind::Date
        | FieldKind::Time
        | FieldKind::Timestamp => Some(text(value.as_str()?)),
    }
}

/// A decimal travels as text, so that no digit is lost.
fn pglite_json(kind: &FieldKind, value: &str) -> String {
    if *kind == FieldKind::Decimal {
        format!("to_jsonb({value}::text)")
    } else {
        format!("to_jsonb({value})")
    }
}

/// A value that is written to a view, in the place of the former one. A UUID is in small letters, as servers show it, however it was given:
/// what names a row must name it before and after the row has come. Text that names such rows may hold another's too, and stays while nobody
/// sets it. A view's columns have no affinity: where a driver gives SQLite a large whole number as a double it would stay one, and be
/// written with a point.
fn of_view(dialect: Dialect, field: &FieldView, former: Option<&str>) -> String {
    let value = format!("NEW.{}", identifier(&field.name));
    match (dialect, &field.kind) {
        (_, FieldKind::Uuid) => format!("lower({value})"),
        (_, FieldKind::Text) if field.names_uuids => {
            let is_set = former.map(|former| format!("{value} IS DISTINCT FROM {former} AND "));
            format!(
                "CASE WHEN {}{value} LIKE '________-____-____-____-____________' AND length(replace({value}, '-', '')) = 32 \
                 AND ltrim({value}, '0123456789abcdefABCDEF-') = '' THEN lower({value}) ELSE {value} END",
                is_set.unwrap_or_default()
            )
        }
        (Dialect::Sqlite, FieldKind::Int32 | FieldKind::Int64) => format!(
            "CASE WHEN typeof({value}) = 'real' AND {value} = CAST({value} AS INTEGER) \
             THEN CAST({value} AS INTEGER) ELSE {value} END"
        ),
        _ => value,
    }
}

fn compared(kind: &FieldKind, value: String) -> String {
    if *kind == FieldKind::Json {
        format!("json({value})")
    } else {
        value
    }
}

fn sqlite_json(kind: &FieldKind, value: &str) -> String {
    match kind {
        FieldKind::Boolean => {
            format!("CASE WHEN {value} IS NULL THEN NULL WHEN {value} THEN 'true' ELSE 'false' END")
        }
        FieldKind::Json => format!("json({value})"),
        FieldKind::Text
        | FieldKind::Uuid
        | FieldKind::Int32
        | FieldKind::Int64
        | FieldKind::Float
        | FieldKind::Decimal
        | FieldKind::Date
        | FieldKind::Time
        | FieldKind::Timestamp => {
            format!("CASE WHEN {value} IS NULL THEN NULL ELSE json_quote({value}) END")
        }
    }
}

/// Days and points in time are text, which sorts as they do and comes back as it was written.
const fn column_type(dialect: Dialect, kind: &FieldKind) -> &'static str {
    match (dialect, kind) {
        (
            Dialect::Pglite,
            FieldKind::Text
            | FieldKind::Uuid
            | FieldKind::Date
            | FieldKind::Time
            | FieldKind::Timestamp,
        ) => "text",
        (Dialect::Pglite, FieldKind::Boolean) => "boolean",
        (Dialect::Pglite, FieldKind::Int32) => "integer",
        (Dialect::Pglite, FieldKind::Int64) => "bigint",
        (Dialect::Pglite, FieldKind::Float) => "double precision",
        (Dialect::Pglite, FieldKind::Decimal) => "numeric",
        (Dialect::Pglite, FieldKind::Json) => "jsonb",
        (Dialect::Sqlite, FieldKind::Boolean | FieldKind::Int32 | FieldKind::Int64) => "INTEGER",
        (Dialect::Sqlite, FieldKind::Float) => "REAL",
        (
            Dialect::Sqlite,
            FieldKind::Text
            | FieldKind::Uuid
            | FieldKind::Date
            | FieldKind::Time
            | FieldKind::Timestamp
            | FieldKind::Decimal
            | FieldKind::Json,
        ) => "TEXT",
    }
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
