//! What a seed decides about its world before it begins.
//!
//! Most worlds know a few kinds of trouble and much of them, instead of a little of each: what two
//! kinds do together is seen only where both come often.

use syncline_protocol::Limits;
use syncline_simdisk::Verb;

use crate::chance::Chance;

/// Who something befalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Replica,
    Server,
}

/// Something that goes wrong, or that a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The power goes between two calls.
    PowerLoss(Side),
    /// The power goes in the middle of one of the next writes and syncs.
    PowerLossAtChange(Side),
    Kill(Side),
    KillAtChange(Side),
    /// A process ends in order, and is started again.
    Restart,
    /// Sync is turned off, or configured otherwise.
    Reconfigure,
    Partition,
    ClockJump,
    DiskFull(Side),
    Failure(Side, Verb),
    /// A backup is made, to be put back later.
    Backup(Side),
    /// The server's disk is put back without a word.
    RollBackServer,
    LoseServer,
    RestoreToHeal,
    RestoreToFollow,
    Reset,
    CopyReplica,
    RollBackReplica,
    DamageTenantFile,
    TokenExpiry,
    RateLimit,
    Maintenance,
    Upgrade,
    /// Somebody pushes an op whose clock is far ahead.
    ClockLeap,
    Checkpoint,
    /// A machine is shut for long.
    Sleep,
}

impl Trouble {
    /// Each kind, and how likely a world is to know it, in percent.
    const ALL: &[(u32, Self)] = &[
        (35, Self::PowerLoss(Side::Replica)),
        (45, Self::PowerLossAtChange(Side::Replica)),
        (25, Self::PowerLoss(Side::Server)),
        (45, Self::PowerLossAtChange(Side::Server)),
        (20, Self::Kill(Side::Replica)),
        (30, Self::KillAtChange(Side::Replica)),
        (10, Self::Kill(Side::Server)),
        (20, Self::KillAtChange(Side::Server)),
        (20, Self::Restart),
        (15, Self::Reconfigure),
        (35, Self::Partition),
        (25, Self::ClockJump),
        (15, Self::DiskFull(Side::Replica)),
        (10, Self::DiskFull(Side::Server)),
        (12, Self::Failure(Side::Replica, Verb::Read)),
        (12, Self::Failure(Side::Replica, Verb::Write)),
        (12, Self::Failure(Side::Replica, Verb::Sync)),
        (12, Self::Failure(Side::Server, Verb::Read)),
        (12, Self::Failure(Side::Server, Verb::Write)),
        (12, Self::Failure(Side::Server, Verb::Sync)),
        (25, Self::RollBackServer),
        (12, Self::LoseServer),
        (15, Self::RestoreToHeal),
        (20, Self::RestoreToFollow),
        (14, Self::Reset),
        (20, Self::CopyReplica),
        (35, Self::RollBackReplica),
        (10, Self::DamageTenantFile),
        (20, Self::TokenExpiry),
        (10, Self::RateLimit),
        (15, Self::Maintenance),
        (20, Self::ClockLeap),
        (20, Self::Checkpoint),
        (25, Self::Sleep),
    ];
}

/// How the network treats what it carries, in ten-thousandths.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weather {
    pub(crate) request_lost: u32,
    pub(crate) request_doubled: u32,
    pub(crate) late: u32,
    pub(crate) reply_lost: u32,
    /// Of answers that refuse an op: what a replica must not forget by that is worth more tries
    /// than chance would give.
    pub(crate) refusal_lost: u32,
    pub(crate) reply_cut: u32,
    pub(crate) stream_cut: u32,
    pub(crate) stream_silent: u32,
    pub(crate) latency_ms: u64,
}

impl Weather {
    /// Nothing is lost, and all is quick.
    pub(crate) const FAIR: Self = Self {
        request_lost: 0,
        request_doubled: 0,
        late: 0,
        reply_lost: 0,
        refusal_lost: 0,
        reply_cut: 0,
        stream_cut: 0,
        stream_silent: 0,
        latency_ms: 5,
    };

    fn drawn(chance: &mut Chance) -> Self {
        let most = *chance.pick(&[0, 0, 300, 1_000, 2_500]);
        let mut rate = || match chance.below(3) {
            0 => 0,
            _ => chance.between(0, most) as u32,
        };
        let rates = [rate(), rate(), rate(), rate(), rate(), rate(), rate()];
        let [
            request_lost,
            request_doubled,
            late,
            reply_lost,
            reply_cut,
            stream_cut,
            silent,
        ] = rates;
        Self {
            request_lost,
            request_doubled,
            late,
            reply_lost,
            refusal_lost: *chance.pick(&[0, 0, 2_500]),
            reply_cut,
            stream_cut,
            stream_silent: silent,
            latency_ms: *chance.pick(&[2, 20, 150, 600]),
        }
    }
}

/// What a seed decides.
#[derive(Debug, Clone)]
pub(crate) struct Dials {
    pub(crate) replicas: usize,
    /// Writes of users until the world heals.
    pub(crate) writes: u32,
    /// Milliseconds between two writes, on average.
    pub(crate) write_gap_ms: u64,
    pub(crate) weather: Weather,
    pub(crate) troubles: Vec<Trouble>,
    /// How often trouble comes.
    pub(crate) blows: u32,
    pub(crate) limits: Limits,
    /// How many machines in a hundred have a second process.
    pub(crate) second_process_percent: u32,
    /// How many processes in a hundred run an older binary; 0: nobody does.
    pub(crate) older_percent: u32,
    pub(crate) older_server: bool,
    /// Whether the server's fold panics at marked payloads: always, also once the world has healed.
    pub(crate) server_panics: bool,
    /// How many of a hundred writes nobody can take: too large, or a panic for older folds.
    pub(crate) poison_percent: u32,
    /// Ops by which the log must be ahead for the prepared file to be fetched.
    pub(crate) prepared_file_from: u64,
    /// How many of a hundred writes come from callers without a replica.
    pub(crate) bare_percent: u32,
    /// How many of a hundred writes are changes of lists.
    pub(crate) lists_percent: u32,
    /// How often the server compacts its log.
    pub(crate) compactions: u32,
    /// Ops by which the floor must rise for a replica to compact its own log.
    pub(crate) compact_from: u64,
}

impl Dials {
    pub(crate) fn drawn(chance: &mut Chance) -> Self {
        let mut troubles: Vec<Trouble> = Vec::new();
        for (percent, trouble) in Trouble::ALL {
            if chance.percent(*percent) {
                troubles.push(*trouble);
            }
        }
        let puts_back = |trouble: &Trouble| {
            matches!(
                trouble,
                Trouble::RollBackServer | Trouble::RestoreToHeal | Trouble::RestoreToFollow
            )
        };
        // What is put back was backed up before.
        if troubles.iter().any(puts_back) {
            troubles.push(Trouble::Backup(Side::Server));
        }
        if troubles.contains(&Trouble::RollBackReplica) {
            troubles.push(Trouble::Backup(Side::Replica));
        }
        // A clock that is far ahead matters once the log has lost it.
        if troubles.contains(&Trouble::ClockLeap) {
            troubles.extend([Trouble::Backup(Side::Server), Trouble::RollBackServer]);
        }
        let older_percent = *chance.pick(&[0, 0, 0, 30, 60]);
        if older_percent > 0 {
            troubles.push(Trouble::Upgrade);
        }
        if troubles.is_empty() {
            troubles.push(Trouble::Restart);
        }
        let writes = chance.between(20, 90) as u32;
        Self {
            replicas: 3 + chance.below(3),
            writes,
            write_gap_ms: *chance.pick(&[60, 250, 900]),
            weather: Weather::drawn(chance),
            blows: chance.between(2, u64::from(writes) / 4) as u32,
            troubles,
            limits: limits(chance),
            second_process_percent: *chance.pick(&[0, 30, 80]),
            older_percent,
            older_server: older_percent > 0 && chance.percent(40),
            server_panics: chance.percent(30),
            poison_percent: *chance.pick(&[0, 3, 15]),
            prepared_file_from: *chance.pick(&[0, 20, 5_000]),
            bare_percent: *chance.pick(&[0, 5, 15]),
            lists_percent: *chance.pick(&[0, 30, 75]),
            compactions: *chance.pick(&[0, 3, 25]),
            compact_from: *chance.pick(&[1, 10, 1_000_000]),
        }
    }
}

/// The server's bounds: small ones, so that few ops are many pages.
fn limits(chance: &mut Chance) -> Limits {
    Limits {
        push_ops: *chance.pick(&[3, 20, 5_000]),
        payload_bytes: crate::workload::PAYLOAD_BYTES_MAX,
        page_ops: 5,
        page_ops_max: *chance.pick(&[2, 7, 50, 10_000]),
        page_bytes: *chance.pick(&[600, 4 << 20]),
        ..Limits::default()
    }
}
