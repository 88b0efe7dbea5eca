//! Why lists were not changed, as a person is told.

use syncline_model::list::{PlanError, TextError};
use syncline_replica::ListError;
use syncline_store::StoreError;

use crate::failure::Failure;
use crate::wording::quoted;

/// Something is to stand beside itself; `show` is the command that shows what else it could stand beside.
pub(super) fn beside_itself(name: &str, show: &str) -> Failure {
    let message = format!("{name:?} can't be placed beside itself");
    Failure::usage("move_beside_itself", message)
        .state("nothing was changed")
        .fix(format!("{show}, and name another place"))
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Declined(declined) => declined.into(),
            ListError::View(error) => error.into(),
            ListError::Write(error) => error.into(),
        }
    }
}

impl From<PlanError<StoreError>> for Failure {
    fn from(error: PlanError<StoreError>) -> Self {
        const UNCHANGED: &str = "nothing was changed";
        let (code, message) = (error.code(), error.to_string());
        match error {
            PlanError::View(error) => error.into(),
            PlanError::ListRemoved { list } => {
                let restore = format!("syncline list restore {}", quoted(list.as_str()));
                Self::new(code, message).state(UNCHANGED).fix(restore)
            }
            PlanError::ItemElsewhere { list, .. } => Self::new(code, message)
                .state(UNCHANGED)
                .fix(format!("syncline list show {}", quoted(list.as_str()))),
            PlanError::ListUnknown { .. }
            | PlanError::ListExists { .. }
            | PlanError::ItemUnknown { .. }
            | PlanError::ItemRemoved { .. }
            | PlanError::ItemExists { .. } => Self::new(code, message)
                .state(UNCHANGED)
                .fix("syncline list show"),
            PlanError::BesideItself { .. } => Self::usage(code, message)
                .state(UNCHANGED)
                .fix("name another place: syncline list show"),
            PlanError::Text(error) => Self::usage(code, message).state(UNCHANGED).fix(match error {
                TextError::Blank { .. } => "say what it is in a word or two",
                TextError::TooLong { .. } => "say it in fewer words, or in several items",
                TextError::Control { .. } => {
                    "leave out what can't be seen; texts and notes may have line breaks and tabs"
                }
            }),
            PlanError::Payload(source) => Self::usage(code, message)
                .because(source)
                .state(UNCHANGED)
                .fix("say it in fewer words, or in several items"),
        }
    }
}
