//! Orders of the command line, which leaves the logs to the server that runs on them.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use syncline_store::control::{Order, OrderedWork};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::admin::{CompactSummary, OrderAnswer, OrderProgress};
use crate::error::ApiError;
use crate::server::{Server, now};
use crate::tenant::{CompactReport, Keep, Refused};

/// How often it is looked for orders.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often who placed an order is told how far it is.
const TELL_EVERY: Duration = Duration::from_millis(500);

impl Server {
    /// Carries out what is ordered, one after another, until dropped.
    pub(crate) async fn keep_orders(self: Arc<Self>) {
        if let Err(error) = self.control(|control| control.drop_orders()).await {
            log_failure(&error);
        }
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            match self.control(|control| control.take_order(now())).await {
                Ok(None) => {}
                Ok(Some(order)) => self.carry_out(order).await,
                Err(error) => log_failure(&error),
            }
        }
    }

    async fn carry_out(self: &Arc<Self>, order: Order) {
        let done = match order.work {
            OrderedWork::Expire { idle } => self.expire(&order, idle).await,
            OrderedWork::Notes => {
                let written = self.tenants.write_notes().await;
                written.map(|()| OrderAnswer::Noted)
            }
            OrderedWork::Compact { retention, idle } => {
                let keep = Keep { retention, idle };
                self.compact_as_ordered(&order, keep).await
            }
        };
        let answer = done.unwrap_or_else(|error| {
            tracing::error!(
                tenant.id = %order.tenant,
                error = &error as &dyn Error,
                "could not do what was ordered"
            );
            OrderAnswer::Failed {
                causes: causes_of(&error),
            }
        });
        let text = serde_json::to_string(&answer).expect("an answer has text keys alone");
        let answered = self
            .control(move |control| control.answer_order(&order.id, &text))
            .await;
        if let Err(error) = answered {
            log_failure(&error);
        }
    }

    async fn expire(&self, order: &Order, idle: Duration) -> Result<OrderAnswer, Refused> {
        let log = self.tenants.open(&order.tenant).await?;
        let clients = log.expire(idle).await?;
        Ok(OrderAnswer::Expired { clients })
    }

    async fn compact_as_ordered(
        self: &Arc<Self>,
        order: &Order,
        keep: Keep,
    ) -> Result<OrderAnswer, Refused> {
        let (sender, progress) = watch::channel(None);
        let compacting = self.compact_now(&order.tenant, keep, sender);
        let report = tokio::select! {
            report = compacting => report?,
            () = self.tell(order, progress) => unreachable!("telling does not end"),
        };
        Ok(OrderAnswer::Compacted(CompactSummary::of(
            &order.tenant,
            &report,
        )))
    }

    /// Tells who placed the order how far it is, until dropped.
    async fn tell(
        self: &Arc<Self>,
        order: &Order,
        progress: watch::Receiver<Option<CompactReport>>,
    ) {
        loop {
            tokio::time::sleep(TELL_EVERY).await;
            let Some(report) = *progress.borrow() else {
                continue;
            };
            let progress = OrderProgress {
                reached: report.reached,
                floor: report.aim,
            };
            let text = serde_json::to_string(&progress).expect("progress is two numbers");
            let id = order.id.clone();
            let told = self
                .control(move |control| control.note_order_progress(&id, &text))
                .await;
            if let Err(error) = told {
                log_failure(&error);
            }
        }
    }
}

fn log_failure(error: &ApiError) {
    tracing::warn!(
        error.causes = error.causes(),
        "could not look after orders of the command line"
    );
}

/// An error and its causes, outermost first.
fn causes_of(error: &(dyn Error + 'static)) -> Vec<String> {
    std::iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect()
}
