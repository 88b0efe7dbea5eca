mod machine;
mod next;
mod server;
mod story;
mod teller;

use clap::Args;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::signals;

use story::Stage;
use teller::Teller;

/// Watch two replicas sync through a server of their own
///
/// Starts a server on a free port and two replicas of real threads in a temporary directory, syncs
/// them before your eyes, offline and through a restored server too, says what to try next, and
/// serves until Ctrl-C. Nothing of yours is read or changed.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Check everything and end, instead of serving
    #[arg(long)]
    once: bool,
}

pub(crate) fn run(args: &DemoArgs, context: &Context) -> Outcome {
    let runtime = signals::runtime()?;
    let done = runtime.block_on(async {
        let mut shutdown = std::pin::pin!(signals::shutdown()?);
        let teller = Teller::new(context.output.clone());
        let telling = tokio::task::spawn_blocking(move || tell(teller));
        let stage = tokio::select! {
            told = telling => told.map_err(|error| failed("ran into a defect").because(error))??,
            () = &mut shutdown => return Ok(()),
        };
        if args.once {
            stage.close();
            return Ok(());
        }
        let open = stage.open_to_others(context)?;
        open.tell(context)?;
        shutdown.await;
        open.close().await;
        context
            .output
            .note("\nthe server has stopped, and the temporary directory is gone");
        Ok(())
    });
    // Whoever interrupts the story does not wait for its end.
    runtime.shutdown_background();
    done
}

fn tell(mut teller: Teller) -> Result<Stage, Failure> {
    teller.begin()?;
    let stage = story::tell(&mut teller)?;
    teller.end()?;
    Ok(stage)
}

/// The demo can't go on: it `what`.
fn failed(what: &str) -> Failure {
    Failure::new("demo_failed", format!("the demo {what}"))
        .state("it worked on a temporary directory of its own; nothing of yours was touched")
        .fix("try it once more, and tell us what it printed")
}
