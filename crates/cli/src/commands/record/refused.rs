//! Why a write of a record did not come to be.

use serde_json::Value;
use syncline_model::record::{Refusal, RefusalCode};
use syncline_model::schema::Entity;
use syncline_protocol::ErrorCode;
use syncline_replica::{QuarantinedOp, RecordError, Replica};

use super::entity::no_schema;
use crate::failure::Failure;
use crate::wording::{quoted, refusal_lines};

/// It was refused here, before anything was written.
pub(super) fn not_written(error: RecordError, entity: &Entity, what: &str) -> Failure {
    match error {
        RecordError::NoSchema => no_schema(),
        RecordError::ReadOnly { .. } => {
            Failure::new("read_only", format!("{what} can't be written"))
                .because(error)
                .state("nothing was written")
                .fix(format!(
                    "write it by the server's own paths: `x-sync` makes {} a cache for clients",
                    entity.name
                ))
        }
        RecordError::Refused(refusal) => {
            let code = refusal.code.as_str();
            let mut lines = refusal_lines(&refusal.details());
            if lines.is_empty() {
                lines.push(refusal.message.to_string());
            }
            let failure = Failure::new(code, format!("{what} can't be written so"));
            with_fix(failure.because_of(lines), &refusal, entity).state("nothing was written")
        }
        RecordError::View(error) => error.into(),
        RecordError::Write(error) => error.into(),
    }
}

fn with_fix(failure: Failure, refusal: &Refusal, entity: &Entity) -> Failure {
    match refusal.code {
        RefusalCode::Forbidden | RefusalCode::ForbiddenField => {
            failure.fix(match &entity.access.role_via {
                // A role in the tenant gives none on these records.
                Some(via) => format!(
                    "ask an owner for a record of {} whose {} lets you",
                    via.entity, via.role_field
                ),
                None => "ask who runs the server for another role: syncline member role USER ROLE, or add USER ROLE \
                         for who was given none yet"
                    .to_owned(),
            })
        }
        RefusalCode::NotFound => failure
            .fix(format!("syncline record {} list", entity.name))
            .fix("syncline sync, if another machine has made it"),
        RefusalCode::Gone => failure.fix(format!(
            "syncline record {} history {}",
            entity.name,
            quoted(&refusal.id)
        )),
        RefusalCode::AlreadyExists => failure.fix(format!(
            "syncline record {} update {} --set FIELD=VALUE",
            entity.name,
            quoted(&refusal.id)
        )),
        RefusalCode::InvalidOp
        | RefusalCode::TooLarge
        | RefusalCode::UnknownEntity
        | RefusalCode::ValidationFailed
        | RefusalCode::UniqueViolation
        | RefusalCode::Conflict
        | RefusalCode::DependsOnRefused => failure,
    }
}

/// The server has refused it: it is taken back, and kept in the quarantine.
pub(super) fn quarantined(op: &QuarantinedOp, what: &str, replica: &Replica) -> Failure {
    let code = ErrorCode::parse(&op.code).map_or("refused", ErrorCode::as_str);
    let details = op.details.as_deref().unwrap_or_default();
    let details: Value = serde_json::from_str(details).unwrap_or_default();
    let mut lines = refusal_lines(&details);
    if lines.is_empty() {
        lines.push(op.message.clone());
    }
    let failure = Failure::new(code, format!("the server refuses {what}")).because_of(lines);
    let depends = RefusalCode::DependsOnRefused.as_str();
    let all = replica.quarantined().unwrap_or_default();
    let with_it = all.iter().filter(|other| {
        other.code == depends && other.key != op.key && other.refused_at >= op.refused_at
    });
    let with_it = match with_it.count() {
        0 => String::new(),
        1 => ", and so is one write that was built on it".to_owned(),
        count => format!(", and so are {count} writes that were built on it"),
    };
    let id = op.id.0;
    failure
        .state(format!(
            "it is taken back, and kept in the quarantine{with_it}; everything else stands"
        ))
        .fix(format!("syncline sync quarantine show {id}"))
        .fix(format!("syncline sync quarantine drop {id}"))
}
