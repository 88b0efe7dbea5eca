use clap::Args;
use serde::Serialize;
use syncline_model::record::Values;
use syncline_model::schema::Entity;
use syncline_replica::Replica;
use syncline_store::records::{
    Condition, Direction, FilterError, ListQuery, Order, PageCursor, Subset, Test, list,
};

use super::entity::{Age, field};
use super::shown::{row, write_table};
use super::values::read_value;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::limit::at_least_one;

/// The tests of `--where`.
const TESTS: &str = "is, ne, lt, lte, gt, gte, in, contains, null";

/// List records: those of this replica, with what waits for the server marked as pending
///
/// Of an entity whose document names the subset that clients take (`where` of `x-sync`), that subset.
///
/// With --json: {records, next_cursor}; each record has `_role`, and `_pending` where the server has not
/// decided all of it. Of an entity that is a cache, {synced_at, age_seconds, is_stale} as `age` beside them.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those whose field passes a test; may be given again: `paid=false`, `number=gt:10`,
    /// `status=in:open,late`, `name=contains:ada`, `email=null:true`
    ///
    /// The tests are is (without a word: this one), ne, lt, lte, gt, gte, in, contains and null.
    #[arg(long = "where", value_name = "FIELD=[TEST:]VALUE")]
    tests: Vec<String>,
    /// Order by these fields, with commas between; -FIELD falls
    #[arg(
        long,
        value_name = "FIELD,…",
        allow_hyphen_values = true,
        value_delimiter = ','
    )]
    order: Vec<String>,
    /// So many at most
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = at_least_one::<usize>)]
    limit: usize,
    /// Also those that are not in the subset that clients take
    #[arg(short, long)]
    all: bool,
    /// Go on where a list has ended, by the cursor that it told
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

#[derive(Serialize)]
struct Listing {
    records: Vec<Values>,
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<Age>,
}

pub(super) fn run(
    args: &ListArgs,
    entity: &Entity,
    replica: &mut Replica,
    context: &Context,
) -> Outcome {
    let tests = args.tests.iter();
    let conditions: Vec<_> = tests
        .map(|test| condition(entity, test))
        .collect::<Result<_, _>>()?;
    let order = args.order.iter();
    let order: Vec<_> = order
        .map(|word| ordered(entity, word))
        .collect::<Result<_, _>>()?;
    let after = args.after.as_deref().map(str::parse::<PageCursor>);
    let after = after
        .transpose()
        .map_err(|error| of_filter(error, entity))?;
    let asker = replica.asker()?;
    let subset = Subset::of(entity, asker.role).filter(|_| !args.all);
    let query = ListQuery {
        asker: Some(&asker),
        subset: subset.as_ref(),
        conditions: &conditions,
        order: &order,
        after: after.as_ref(),
        limit: args.limit,
    };
    let listed = list(replica.view()?.connection(), entity, &query);
    let listed = listed.map_err(|error| of_filter(error, entity))?;
    let mut records = Vec::with_capacity(listed.records.len());
    for record in listed.records {
        records.extend(row(replica, entity, record)?);
    }
    let listing = Listing {
        records,
        next_cursor: listed.next.map(|next| next.to_string()),
        age: Age::of(entity, replica, context)?,
    };
    context.output.data(&listing, |out| {
        write_table(&listing.records, entity, out, context.output.colour())
    })?;
    if let (Some(_), Some(condition)) = (subset, &entity.subset) {
        context.output.note(format_args!(
            "only those are shown that clients take, with {condition}: --all shows the others too"
        ));
    }
    if let Some(age) = listing.age {
        age.tell(entity, context);
    }
    if let Some(next) = &listing.next_cursor {
        context
            .output
            .note(format_args!("there are more: --after {next}"));
    }
    Ok(())
}

fn condition(entity: &Entity, text: &str) -> Result<Condition, Failure> {
    let wrong = |message: String| Failure::usage("filter_invalid", message);
    let Some((name, rest)) = text.split_once('=') else {
        return Err(wrong(format!("--where {text:?} is no FIELD=VALUE"))
            .fix(format!("--where FIELD=TEST:VALUE, with one of {TESTS}")));
    };
    let field = field(entity, name)?;
    let (word, value) = match rest.split_once(':') {
        Some((word, value)) if TESTS.split(", ").any(|test| test == word) => (word, value),
        Some(_) | None => ("is", rest),
    };
    let read = || read_value(field, value);
    let test = match word {
        "ne" => Test::IsNot(read()?),
        "lt" => Test::Less(read()?),
        "lte" => Test::AtMost(read()?),
        "gt" => Test::More(read()?),
        "gte" => Test::AtLeast(read()?),
        "in" => {
            let values = value.split(',').map(|value| read_value(field, value));
            Test::OneOf(values.collect::<Result<_, _>>()?)
        }
        "contains" => Test::Contains(value.to_owned()),
        "null" => match value {
            "true" => Test::IsNull,
            "false" => Test::IsNotNull,
            _ => return Err(wrong(format!("{name}=null: takes true or false"))),
        },
        _ => Test::Is(read()?),
    };
    Ok(Condition {
        column: name.to_owned(),
        test,
    })
}

fn ordered(entity: &Entity, word: &str) -> Result<Order, Failure> {
    let (name, direction) = match word.strip_prefix('-') {
        Some(name) => (name, Direction::Falling),
        None => (word, Direction::Rising),
    };
    Ok(Order {
        column: field(entity, name)?.name.clone(),
        direction,
    })
}

fn of_filter(error: FilterError, entity: &Entity) -> Failure {
    match error {
        FilterError::Store(error) => error.into(),
        FilterError::Unreadable { .. } => {
            let message = format!("these {} can't be listed so", entity.name);
            Failure::new("forbidden_field", message).because(error)
        }
        FilterError::UnknownColumn { .. }
        | FilterError::Incomparable { .. }
        | FilterError::Cursor
        | FilterError::CursorOrder { .. } => {
            let message = format!("these {} can't be listed so", entity.name);
            Failure::usage("filter_invalid", message).because(error)
        }
    }
}
