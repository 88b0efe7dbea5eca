//! What a shape is of: a table as who asks may see it, some of its columns, some of its rows.

use serde_json::{Map, Value, json};
use syncline_model::record::Asker;
use syncline_model::shape::{Filter, ShapeColumn, column_list, table_name};
use syncline_model::{PayloadHash, TenantId};
use syncline_store::shapes::Relation;

use super::invalid::Invalid;
use super::request::{LogMode, Replica, ShapeRequest};
use super::sight::{RowRoles, SeenBy, Sight};

/// The column of the reader's role on each row. It is no column of the table: who does not name it does
/// not get it.
pub(super) const ROLE: &str = "_role";

/// A shape's definition, against the table as it is.
#[derive(Debug)]
pub(crate) struct Definition {
    pub relation: Relation,
    /// The columns that messages hold, in the table's order.
    pub columns: Vec<usize>,
    /// Whether they are all that who asks may see, because none were named.
    pub is_whole: bool,
    /// What messages tell as [`ROLE`], where it was asked for.
    pub roles: Option<RowRoles>,
    /// Those that clients may ask for and filter by in subsets.
    pub queryable: Vec<usize>,
    pub filter: Option<Filter>,
    /// Which rows who asks may see at all.
    pub sight: Option<Filter>,
    /// Who asked for records, and what they saw.
    pub seen_by: Option<SeenBy>,
    /// What tells its filter from others of the table.
    pub filter_text: String,
    /// All columns of the table, also those that who asks may not see: what tells tables of one name
    /// apart whose rows hold their cells in other places.
    pub layout: String,
    pub replica: Replica,
    pub log: LogMode,
    /// What tells it from all others of the tenant.
    pub digest: String,
}

impl Definition {
    /// The table's name in a request, if it is one that may be: of the only schema that there is.
    pub(super) fn table(request: &ShapeRequest) -> Result<String, Invalid> {
        let (schema, name) = table_name(&request.table).map_err(|error| {
            let message = format!("Invalid table name: {}", error.message);
            Invalid::of("table", message)
        })?;
        if schema == "public" {
            Ok(name)
        } else {
            Err(missing_table(&schema, &name))
        }
    }

    pub(super) fn of(
        request: &ShapeRequest,
        mut relation: Relation,
        sight: Sight,
        (tenant, asker): (&TenantId, &Asker),
    ) -> Result<Self, Invalid> {
        let seen_by = relation.entity().map(|_| SeenBy::of(asker, &sight));
        let layout = layout_of(&relation);
        let hidden: Vec<String> = sight
            .hidden
            .iter()
            // A name that nobody can say.
            .map(|n| std::mem::take(&mut relation.columns[*n].name))
            .collect();
        let queryable = match &request.queryable {
            Some(list) => {
                let names = names_of(list, &hidden, "queryable_columns")?;
                places_of(&names, &relation, "queryable_columns")?
            }
            None => {
                let all = 0..relation.columns.len();
                all.filter(|n| !sight.hidden.contains(n)).collect()
            }
        };
        let (columns, tells_role) = told_columns(request, &relation, &hidden, &queryable)?;
        let filter = filter_of(request, &relation)?;
        let filter_text = match &request.filter {
            None => String::new(),
            Some(text) => json!([text.trim(), request.parameters]).to_string(),
        };
        let mut definition = Self {
            digest: String::new(),
            columns,
            is_whole: request.columns.is_none() && request.queryable.is_none(),
            roles: tells_role.then_some(sight.roles),
            queryable,
            filter,
            sight: sight.filter,
            seen_by,
            filter_text,
            layout,
            replica: request.replica,
            log: request.log,
            relation,
        };
        definition.digest = definition.told_apart(request, tenant, &sight.digest);
        Ok(definition)
    }

    /// What tells it from all others of the tenant. Where no columns are named, those that the table has
    /// are in it: with another one the rows that readers hold are no longer whole, and they begin anew.
    fn told_apart(&self, request: &ShapeRequest, tenant: &TenantId, sight: &str) -> String {
        let relation = &self.relation;
        let names = |columns: &[usize]| -> Vec<&str> {
            let names = columns.iter().map(|n| relation.columns[*n].name.as_str());
            names.collect()
        };
        let whole = json!([
            relation.name,
            relation.entity().is_some(),
            names(&self.columns),
            request.queryable.as_ref().map(|_| names(&self.queryable)),
            self.filter_text,
            self.replica == Replica::Full,
            self.log == LogMode::ChangesOnly,
            tenant.as_str(),
            sight,
            self.roles.is_some(),
        ]);
        PayloadHash::of(&whole.to_string()).to_string()
    }

    /// Whether it is another one in all things, also in who asks and by which schema.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let is_seen_alike = match (&self.seen_by, &other.seen_by) {
            (Some(one), Some(other)) => one.is_same(other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        is_seen_alike
            && (self.is_whole, &self.digest, &self.layout)
                == (other.is_whole, &other.digest, &other.layout)
    }

    /// Whether a table of these columns, of which some are hidden, has just those that messages hold.
    pub(super) fn tells_all_of(&self, columns: &[ShapeColumn], hidden: &[usize]) -> bool {
        let told = self.columns.iter().map(|n| &self.relation.columns[*n].name);
        let seen = (0..columns.len()).filter(|n| !hidden.contains(n));
        told.eq(seen.map(|n| &columns[n].name))
    }

    /// What clients are told of the columns' types, as JSON.
    pub(super) fn schema(&self) -> String {
        let mut schema = Map::new();
        for n in &self.columns {
            let column = &self.relation.columns[*n];
            schema.insert(column.name.clone(), described(column));
        }
        if self.roles.is_some() {
            schema.insert(ROLE.to_owned(), json!({"type": "text"}));
        }
        Value::Object(schema).to_string()
    }
}

/// The columns that messages hold, and whether they tell the reader's role beside them.
fn told_columns(
    request: &ShapeRequest,
    relation: &Relation,
    hidden: &[String],
    queryable: &[usize],
) -> Result<(Vec<usize>, bool), Invalid> {
    let Some(list) = &request.columns else {
        return Ok((queryable.to_vec(), false));
    };
    let mut names = names_of(list, hidden, "columns")?;
    let is_role = |name: &String| name == ROLE && relation.column(ROLE).is_none();
    let tells_role = relation.entity().is_some() && names.iter().any(is_role);
    names.retain(|name| !tells_role || !is_role(name));
    let columns = places_of(&names, relation, "columns")?;
    if let Some(column) = columns.iter().find(|column| !queryable.contains(column)) {
        let name = &relation.columns[*column].name;
        let message = format!("The following columns are not queryable: {name}");
        return Err(Invalid::of("columns", message));
    }
    Ok((columns, tells_role))
}

fn layout_of(relation: &Relation) -> String {
    let columns = relation.columns.iter();
    let columns = columns.map(|column| (&column.name, column.kind.scalar.short_name()));
    json!(columns.collect::<Vec<_>>()).to_string()
}

fn filter_of(request: &ShapeRequest, relation: &Relation) -> Result<Option<Filter>, Invalid> {
    let Some(text) = &request.filter else {
        return Ok(None);
    };
    Filter::parse(text, &request.parameters, &relation.name, &relation.columns)
        .map(Some)
        .map_err(|error| Invalid::filter("where", &error))
}

fn described(column: &ShapeColumn) -> Value {
    let mut described = Map::new();
    described.insert("type".to_owned(), column.kind.scalar.short_name().into());
    if column.kind.is_array {
        described.insert("dims".to_owned(), 1.into());
    }
    if let Some(place) = column.key_place {
        described.insert("pk_index".to_owned(), place.into());
    }
    // Of any other column a record may hold null that was written before its schema: readers are to be told
    // of it, and not to give the table up.
    if column.key_place.is_some() && !column.is_nullable {
        described.insert("not_null".to_owned(), true.into());
    }
    Value::Object(described)
}

pub(super) fn missing_table(schema: &str, name: &str) -> Invalid {
    let message = format!(
        "Table \"{schema}\".\"{name}\" does not exist. If the table name contains capitals or \
         special characters you must quote it."
    );
    Invalid::of("table", message)
}

/// The names of a list, without those of columns that are hidden from who asks: one list serves every role,
/// and what a role may not read is left out of its rows.
fn names_of(
    list: &str,
    hidden: &[String],
    parameter: &'static str,
) -> Result<Vec<String>, Invalid> {
    let mut names = column_list(list).map_err(|error| {
        let message = format!("Invalid column list: {}", error.message);
        Invalid::of(parameter, message)
    })?;
    names.retain(|name| !hidden.contains(name));
    Ok(names)
}

/// The columns of these names, in the table's order; the key must be among them.
fn places_of(
    names: &[String],
    relation: &Relation,
    parameter: &'static str,
) -> Result<Vec<usize>, Invalid> {
    let mut columns = Vec::new();
    let mut unknown = Vec::new();
    for name in names {
        match relation.column(name) {
            Some(column) => columns.push(column),
            None => unknown.push(name.as_str()),
        }
    }
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        let message = format!("The following columns are not found on the table: {unknown}");
        return Err(Invalid::of(parameter, message));
    }
    columns.sort_unstable();
    columns.dedup();
    let key = relation.key_columns();
    let missing = key.iter().filter(|column| !columns.contains(column));
    let missing: Vec<_> = missing
        .map(|column| relation.columns[*column].name.as_str())
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        let message = format!("Must include all primary key columns, missing: {missing}");
        return Err(Invalid::of(parameter, message));
    }
    Ok(columns)
}
