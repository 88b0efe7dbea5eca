//! Compactions that the server does by itself, and those that its admins ask for.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use syncline_model::TenantId;
use syncline_store::LogLeft;
use tokio::sync::watch;

use crate::error::ApiError;
use crate::log::{Look, Tenant, When};
use crate::server::Server;
use crate::tenant::{CompactReport, Keep, Refused, Rewrite};

/// The largest file that is written anew by itself where it has many gaps: nobody writes to the log
/// for as long as that takes, which is well under a second.
const REWRITE_BYTES_MAX: u64 = 64 << 20;
/// When a server looks for the first time: it has other things to do as it starts, and may be started
/// more often than it looks.
const FIRST_LOOK_AFTER: Duration = Duration::from_secs(60);
/// What is waited after each file that was looked into, so that a thousand are no burst.
const PAUSE: Duration = Duration::from_millis(20);
/// How often a compaction under way is told of.
const TELL_EVERY: Duration = Duration::from_secs(5);

impl Server {
    /// Looks again and again for logs with enough to drop, or in which something is still to be made
    /// unreadable, until dropped itself.
    pub(crate) async fn keep_compacted(self: Arc<Self>) {
        let Some(every) = self.config.compaction.every else {
            return;
        };
        tokio::time::sleep(every.min(FIRST_LOOK_AFTER)).await;
        loop {
            match self.all_tenants().await {
                Ok(tenants) => self.look_for_due(tenants).await,
                Err(error) => tracing::warn!(
                    error.causes = error.causes(),
                    "could not look for logs to compact"
                ),
            }
            tokio::time::sleep(every).await;
        }
    }

    async fn look_for_due(self: &Arc<Self>, tenants: Vec<TenantId>) {
        let keep = self.config.compaction.keep;
        let rewrite = Rewrite::UpTo(REWRITE_BYTES_MAX);
        for tenant in tenants {
            match self.tenants.look(&tenant, keep).await {
                Look::Quiet => continue,
                Look::NothingDue => {}
                Look::MayBeDue => {
                    let sender = watch::Sender::new(None);
                    match self.run(&tenant, keep, rewrite, When::Due, sender).await {
                        // Waited for: the next log is not looked into meanwhile.
                        Ok(Some((_, log))) => prepare(tenant, log).await,
                        Ok(None) => {}
                        Err(error) => tracing::error!(
                            tenant.id = %tenant,
                            error = &error as &dyn Error,
                            "could not compact a log; it is tried again"
                        ),
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn all_tenants(self: &Arc<Self>) -> Result<Vec<TenantId>, ApiError> {
        let known = self.control(|control| control.tenants()).await?;
        self.data.tenants(&known).map_err(ApiError::internal)
    }

    /// Compacts a tenant's log beside its traffic, and makes its file small; `sender` gets how far it
    /// is. A prepared file for new replicas is made afterwards, for which nobody waits.
    pub(crate) async fn compact_now(
        &self,
        tenant: &TenantId,
        keep: Keep,
        sender: watch::Sender<Option<CompactReport>>,
    ) -> Result<CompactReport, Refused> {
        let run = self.run(tenant, keep, Rewrite::Always, When::Now, sender);
        let (report, log) = run
            .await?
            .expect("a compaction that is not asked whether it is due is done");
        tokio::spawn(prepare(tenant.clone(), log));
        Ok(report)
    }

    /// Runs a compaction and tells of it; none where it was not due.
    async fn run(
        &self,
        tenant: &TenantId,
        keep: Keep,
        rewrite: Rewrite,
        when: When,
        sender: watch::Sender<Option<CompactReport>>,
    ) -> Result<Option<(CompactReport, Arc<Tenant>)>, Refused> {
        let log = self.tenants.open(tenant).await?;
        let progress = sender.subscribe();
        let compacting = log.compact(keep, rewrite, when, sender);
        let report = tokio::select! {
            report = compacting => report?,
            () = tell(tenant, progress) => unreachable!("telling does not end"),
        };
        let Some(report) = report else {
            return Ok(None);
        };
        tracing::info!(
            tenant.id = %tenant,
            log.floor = report.floor.get(),
            ops.dropped = report.totals.dropped,
            tombstones.collected = report.totals.collected,
            bytes.before = report.bytes_before,
            bytes.after = report.bytes_after,
            "log compacted"
        );
        if report.log_left == LogLeft::Full {
            tracing::warn!(
                tenant.id = %tenant,
                "readers kept the write-ahead log from being emptied: what was dropped is in it \
                 until the next checkpoint"
            );
        }
        Ok(Some((report, log)))
    }
}

/// Makes the prepared file anew, which a compaction lets go of, before the first new replica would wait
/// for it.
async fn prepare(tenant: TenantId, log: Arc<Tenant>) {
    if let Err(error) = log.prepared().await {
        tracing::warn!(
            tenant.id = %tenant,
            error = &error as &dyn Error,
            "could not prepare a file for new replicas; the first of them has it made"
        );
    }
}

/// Writes down how far a long compaction is, until dropped.
async fn tell(tenant: &TenantId, progress: watch::Receiver<Option<CompactReport>>) {
    loop {
        tokio::time::sleep(TELL_EVERY).await;
        if let Some(report) = *progress.borrow() {
            tracing::info!(
                tenant.id = %tenant,
                log.reached = report.reached.get(),
                log.aim = report.aim.get(),
                ops.dropped = report.totals.dropped,
                "compacting a log"
            );
        }
    }
}
