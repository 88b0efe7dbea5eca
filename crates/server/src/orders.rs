//! Orders of the command line, which leaves the logs to the server that runs on them.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use syncline_model::ServerSeq;
use syncline_protocol::ErrorCode;
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
/// How often, and how many times, it is tried to answer, which may have no room on the disk: who placed the
/// order waits for about as long.
const ANSWER_EVERY: Duration = Duration::from_secs(1);
const ANSWER_TRIES: u32 = 60;

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
                Err(error) => {
                    log_failure(&error);
                    tokio::time::sleep(ANSWER_EVERY).await;
                }
            }
        }
    }

    async fn carry_out(self: &Arc<Self>, order: Order) {
        let (sender, progress) = watch::channel(None);
        let done = tokio::select! {
            done = self.done(&order, sender) => done,
            () = self.tell(&order, progress) => unreachable!("telling does not end"),
        };
        let answer = done.unwrap_or_else(|error| {
            tracing::error!(
                tenant.id = %order.tenant,
                error = &error as &dyn Error,
                "could not do what was ordered"
            );
            OrderAnswer::Failed {
                causes: causes_of(&error),
                is_disk_full: error.code() == ErrorCode::StorageFull,
            }
        });
        self.answer(&order, &answer).await;
    }

    async fn done(
        self: &Arc<Self>,
        order: &Order,
        progress: watch::Sender<Option<CompactReport>>,
    ) -> Result<OrderAnswer, Refused> {
        match order.work {
            OrderedWork::Expire { idle } => self.expire(order, idle).await,
            OrderedWork::Notes => {
                self.tenants.write_notes().await?;
                Ok(OrderAnswer::Noted)
            }
            OrderedWork::Compact { retention, idle } => {
                let keep = Keep { retention, idle };
                let report = self.compact_now(&order.tenant, keep, progress).await?;
                let summary = CompactSummary::of(&order.tenant, &report);
                Ok(OrderAnswer::Compacted(summary))
            }
        }
    }

    async fn answer(self: &Arc<Self>, order: &Order, answer: &OrderAnswer) {
        let text = serde_json::to_string(answer).expect("an answer has text keys alone");
        for _ in 0..ANSWER_TRIES {
            let (id, text) = (order.id.clone(), text.clone());
            let answered = self
                .control(move |control| control.answer_order(&id, &text))
                .await;
            match answered {
                Ok(()) => return,
                Err(error) => log_failure(&error),
            }
            tokio::time::sleep(ANSWER_EVERY).await;
        }
    }

    async fn expire(&self, order: &Order, idle: Duration) -> Result<OrderAnswer, Refused> {
        let log = self.tenants.open(&order.tenant).await?;
        let clients = log.expire(idle).await?;
        Ok(OrderAnswer::Expired { clients })
    }

    /// Tells who placed the order how far it is, and that it is not forgotten, until dropped.
    async fn tell(
        self: &Arc<Self>,
        order: &Order,
        progress: watch::Receiver<Option<CompactReport>>,
    ) {
        for said in 1.. {
            tokio::time::sleep(TELL_EVERY).await;
            let report = *progress.borrow();
            let progress = OrderProgress {
                reached: report.map_or(ServerSeq::ZERO, |report| report.reached),
                floor: report.map_or(ServerSeq::ZERO, |report| report.aim),
                said,
            };
            let text = serde_json::to_string(&progress).expect("progress is three numbers");
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
