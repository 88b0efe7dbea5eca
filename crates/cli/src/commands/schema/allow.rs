use clap::Args;
use syncline_model::schema::ChangeKind;

/// What may be taken away.
#[derive(Debug, Args)]
#[command(next_help_heading = "What may be taken away")]
pub(super) struct AllowArgs {
    /// Let go of whole entities, with their records
    #[arg(long)]
    allow_drop_entity: bool,
    /// Let go of fields
    #[arg(long)]
    allow_drop_field: bool,
    /// Give fields values of another kind
    #[arg(long)]
    allow_change_kind: bool,
    /// Name records by another field
    #[arg(long)]
    allow_change_key: bool,
    /// Answer requests of clients no more, or otherwise
    #[arg(long)]
    allow_drop_operation: bool,
    /// Refuse values that were good before
    #[arg(long)]
    allow_tighten_field: bool,
    /// Ask for values that are one record's alone
    #[arg(long)]
    allow_add_unique: bool,
    /// Change who reads and writes what
    #[arg(long)]
    allow_change_access: bool,
}

impl AllowArgs {
    pub(super) fn kinds(&self) -> Vec<ChangeKind> {
        let given = |kind| match kind {
            ChangeKind::DropEntity => self.allow_drop_entity,
            ChangeKind::DropField => self.allow_drop_field,
            ChangeKind::ChangeKind => self.allow_change_kind,
            ChangeKind::ChangeKey => self.allow_change_key,
            ChangeKind::DropOperation => self.allow_drop_operation,
            ChangeKind::TightenField => self.allow_tighten_field,
            ChangeKind::AddUnique => self.allow_add_unique,
            ChangeKind::ChangeAccess => self.allow_change_access,
            ChangeKind::AddEntity
            | ChangeKind::AddField
            | ChangeKind::WidenField
            | ChangeKind::Adjust => false,
        };
        let kinds = ChangeKind::ALL.into_iter();
        kinds.filter(|kind| given(*kind)).collect()
    }
}
