//! What is shown again whenever it changes.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use syncline_client::{SyncHandle, SyncSettings};
use syncline_replica::{Looked, Replica, Subscription};
use syncline_store::TenantFile;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{Colour, Format, Style};
use crate::remote;

/// How often other processes' writes are looked for: a person does not notice a delay below this.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Puts the cursor into the corner of an empty screen.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// What is shown.
pub(crate) trait Picture: Serialize + PartialEq {
    fn draw(&self, out: &mut dyn Write, colour: Colour) -> io::Result<()>;
}

/// A replica that is waited on for changes. Meanwhile it is kept in sync, by this process where no
/// daemon does.
pub(crate) struct Watched {
    replica: Replica,
    changes: Subscription,
    sync: Option<SyncHandle>,
}

impl Watched {
    pub(crate) fn new(context: &Context, replica: Replica) -> Result<Self, Failure> {
        Ok(Self {
            changes: replica.subscribe(),
            sync: start_sync(context, &replica)?,
            replica,
        })
    }

    pub(crate) fn view(&mut self) -> Result<&TenantFile, Failure> {
        Ok(self.replica.view()?)
    }

    /// Returns when anything may have changed, whoever changed it.
    pub(crate) fn wait(&mut self) -> Outcome {
        loop {
            let told = self.changes.wait(LOOK_EVERY).is_some();
            let looked = self.replica.look()?;
            if looked == Looked::Changed
                && let Some(sync) = &self.sync
                && self.replica.has_pending()?
            {
                sync.wake();
            }
            if told || looked == Looked::Changed {
                return Ok(());
            }
        }
    }
}

/// Shows what `read` reads, and again whenever it has changed, until the process is ended.
pub(crate) fn watch<P: Picture>(
    context: &Context,
    replica: Replica,
    read: impl Fn(&TenantFile) -> Result<P, Failure>,
) -> Outcome {
    let mut watched = Watched::new(context, replica)?;
    let mut shown = None;
    loop {
        let now = read(watched.view()?)?;
        if shown.as_ref() != Some(&now) {
            print(context, &now, shown.as_ref())?;
            shown = Some(now);
        }
        watched.wait()?;
    }
}

fn start_sync(context: &Context, replica: &Replica) -> Result<Option<SyncHandle>, Failure> {
    match remote::settings(context)? {
        SyncSettings::Off => Ok(None),
        settings @ SyncSettings::On(_) => {
            let handle = syncline_client::start(replica.another()?, settings);
            Ok(Some(handle?))
        }
    }
}

/// Prints the picture, apart from the one before.
fn print<P: Picture>(context: &Context, picture: &P, before: Option<&P>) -> Outcome {
    let output = &context.output;
    if output.format() == Format::Json {
        return output.json(picture);
    }
    let on_screen = context.environment.terminals.stdout;
    output.write(|out| {
        if on_screen {
            out.write_all(CLEAR.as_bytes())?;
        } else if before.is_some() {
            out.write_all(b"\n")?;
        }
        picture.draw(out, output.colour())?;
        if on_screen {
            let hint = output.colour().paint(Style::Faint, "Ctrl-C ends this");
            writeln!(out, "\n{hint}")?;
        }
        Ok(())
    })
}
