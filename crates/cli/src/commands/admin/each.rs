//! Doing something to one log after another, of which some may be damaged.

use syncline_model::TenantId;
use syncline_server::admin::AdminError;

use super::Logs;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::wording::counted;

/// Why something could not be done to a log.
pub(super) enum Trouble {
    /// It is this log's own: others may be well.
    Log(Failure),
    /// No other log would fare better.
    All(Failure),
}

impl From<AdminError> for Trouble {
    fn from(error: AdminError) -> Self {
        Self::Log(error.into())
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::All(failure)
    }
}

/// What was done to the logs, and to which it could not be done.
#[must_use = "those that failed are to be told"]
pub(super) struct Each<T> {
    pub(super) done: Vec<T>,
    failed: Vec<(TenantId, Failure)>,
}

impl Logs {
    /// Does `work` to each log. A single one's failure is the command's.
    pub(super) fn each<T>(
        &self,
        mut work: impl FnMut(&TenantId) -> Result<T, Trouble>,
    ) -> Result<Each<T>, Failure> {
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for tenant in &self.tenants {
            match work(tenant) {
                Ok(one) => done.push(one),
                Err(Trouble::Log(failure)) if self.tenants.len() == 1 => return Err(failure),
                Err(Trouble::Log(failure)) => failed.push((tenant.clone(), failure)),
                Err(Trouble::All(failure)) => return Err(failure),
            }
        }
        Ok(Each { done, failed })
    }
}

impl<T> Each<T> {
    /// Tells which logs failed, and why.
    pub(super) fn finish(&self, context: &Context) -> Outcome {
        if self.failed.is_empty() {
            return Ok(());
        }
        for (tenant, failure) in &self.failed {
            if let Some(report) = failure.report() {
                let causes = report.causes.iter().map(|cause| format!(": {cause}"));
                let causes: String = causes.collect();
                context
                    .output
                    .warn(format_args!("{tenant}: {}{causes}", report.message));
            }
        }
        let logs = counted(self.failed.len() as u64, "log");
        let names = self.failed.iter().map(|(tenant, _)| tenant.to_string());
        let names: Vec<_> = names.collect();
        let message = format!("{logs} could not be worked on: {}", names.join(", "));
        Err(Failure::new("admin_incomplete", message)
            .state("it was done to all others, and nothing that anybody reads was lost")
            .fix("see to the causes above; a damaged log is put back with `syncline restore`"))
    }
}
