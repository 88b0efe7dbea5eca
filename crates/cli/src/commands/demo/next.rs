//! After the story: two daemons and a server, for commands in another terminal.

use std::path::{Path, PathBuf};

use syncline_client::SyncSettings;
use syncline_daemon::{Config, DaemonError, Followed, ReadyDaemon, Settings};
use syncline_replica::ReplicaOptions;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::machine::{KEY, PROJECT, remote};
use super::server::Server;
use super::story::Stage;
use crate::cli::GlobalArgs;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{Format, Style};
use crate::replica_access;

/// What runs until Ctrl-C.
pub(super) struct Open {
    laptop: PathBuf,
    desktop: PathBuf,
    config_file: PathBuf,
    daemons: JoinSet<Result<(), DaemonError>>,
    shutdown: watch::Sender<()>,
    server: Server,
    _home: tempfile::TempDir,
}

impl Stage {
    /// Hands both replicas to daemons, so that commands find them as they find a user's own.
    pub(super) fn open_to_others(self, context: &Context) -> Result<Open, Failure> {
        let Self {
            laptop,
            desktop,
            server,
            home,
        } = self;
        let (laptop, desktop) = (laptop.close(), desktop.close());
        let config_file = home.path().join("config.toml");
        let (shutdown, asked) = watch::channel(());
        let mut daemons = JoinSet::new();
        for data_dir in [&laptop, &desktop] {
            let daemon = daemon(context, data_dir, &config_file, &server.endpoint())?;
            let mut asked = asked.clone();
            daemons.spawn(daemon.run(async move { drop(asked.changed().await) }));
        }
        Ok(Open {
            laptop,
            desktop,
            config_file,
            daemons,
            shutdown,
            server,
            _home: home,
        })
    }
}

/// The daemon of a machine, met where commands with this data directory meet it.
fn daemon(
    context: &Context,
    data_dir: &Path,
    config_file: &Path,
    endpoint: &str,
) -> Result<ReadyDaemon, Failure> {
    let globals = GlobalArgs {
        profile: Some("default".to_owned()),
        data_dir: Some(data_dir.to_owned()),
        config: Some(config_file.to_owned()),
        ..GlobalArgs::default()
    };
    let (environment, output) = (context.environment.clone(), context.output.clone());
    let machine = Context::new(globals, environment, output);
    let meeting = replica_access::meeting(&machine)?;
    // What agents do on this machine has no place in a demonstration.
    let settings = Settings {
        sync: SyncSettings::On(remote(endpoint)?),
        ..Settings::off()
    };
    let followed = Followed {
        files: Vec::new(),
        read: Box::new(move || Ok(settings.clone())),
    };
    Ok(syncline_daemon::prepare(Config {
        replica: machine.replica_dir()?,
        options: ReplicaOptions::default(),
        socket: meeting.socket,
        plugin_socket: None,
        lock: meeting.lock,
        followed,
    })?)
}

impl Open {
    /// Says what to try next.
    pub(super) fn tell(&self, context: &Context) -> Outcome {
        if context.output.format() == Format::Json {
            return Ok(());
        }
        let colour = context.output.colour();
        let laptop = self.command(&self.laptop);
        let desktop = self.command(&self.desktop);
        let thread = format!("{PROJECT}/{KEY}");
        let tries = [
            (
                "Write on the laptop:",
                format!("{laptop} thread push {thread} \"from another terminal\""),
            ),
            (
                "Read it on the desktop:",
                format!("{desktop} thread read {thread}"),
            ),
            (
                "Look through the real threads:",
                format!("{desktop} thread search \"integration test\""),
            ),
            ("See how the laptop stands:", format!("{laptop} status")),
            (
                "Ask the server itself:",
                format!("curl {}/api/threads", self.server.endpoint()),
            ),
        ];
        context.output.write(|out| {
            writeln!(
                out,
                "\nServing on {} until Ctrl-C. Try, in another terminal:",
                self.server.endpoint()
            )?;
            for (what, command) in &tries {
                writeln!(
                    out,
                    "\n  {what}\n    {}",
                    colour.paint(Style::Strong, command)
                )?;
            }
            Ok(())
        })
    }

    /// How this program is called for the machine with this data directory.
    fn command(&self, data_dir: &Path) -> String {
        let program = std::env::current_exe().unwrap_or_else(|_| "syncline".into());
        let here = std::env::current_dir().unwrap_or_default();
        let program = match program.strip_prefix(&here) {
            Ok(below) => Path::new(".").join(below),
            Err(_) => program,
        };
        format!(
            "{} --config {} --data-dir {} --endpoint {}",
            quoted(&program),
            quoted(&self.config_file),
            quoted(data_dir),
            self.server.endpoint()
        )
    }

    /// Ends the daemons, then the server, and removes the directory.
    pub(super) async fn close(mut self) {
        // Who has ended already hears nothing.
        let _ = self.shutdown.send(());
        // Why one has ended before stands in the log.
        while self.daemons.join_next().await.is_some() {}
        let server = self.server;
        let ended = tokio::task::spawn_blocking(move || drop(server)).await;
        ended.expect("ending the server does not panic");
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:\\".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
