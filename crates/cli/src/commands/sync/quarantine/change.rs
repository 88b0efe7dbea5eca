//! A refused change in a few words.

use syncline_model::list::{ItemRef, ListOp, ListView};
use syncline_model::registry::RegistryOp;
use syncline_model::{ItemId, ListId, Payload, Scope};
use syncline_replica::QuarantinedOp;
use syncline_store::lists::{self, StoredLists};
use syncline_store::{StoreError, TenantFile};

use crate::commands::list::brief;

/// What the op would do to lists; none: it is of something else, or can't be read.
pub(super) fn change(view: &TenantFile, op: &QuarantinedOp) -> Result<Option<String>, StoreError> {
    let Some(payload) = &op.payload else {
        return Ok(None);
    };
    let names = Names { view };
    match op.key.scope.as_str() {
        Scope::LIST => names.of_list(&ListId::from(op.key.resource.clone()), payload),
        Scope::REGISTRY => names.of_registry(payload),
        _ => Ok(None),
    }
}

/// What lists and items are called here.
struct Names<'a> {
    view: &'a TenantFile,
}

impl Names<'_> {
    fn of_list(&self, list: &ListId, payload: &Payload) -> Result<Option<String>, StoreError> {
        let Some(op) = ListOp::read(payload) else {
            return Ok(None);
        };
        let title = self.title(list)?;
        Ok(Some(match op {
            ListOp::Insert { content, .. } => format!("add {:?} to {title}", brief(&content.text)),
            ListOp::Restore { content, home, .. } => {
                format!(
                    "restore {:?} in {}",
                    brief(&content.text),
                    self.title(&home)?
                )
            }
            ListOp::RenameList { title: new } => format!("rename {title} to {:?}", brief(&new)),
            ListOp::Remove { item } => format!("remove {} from {title}", self.item(list, &item)?),
            ListOp::Move { item, home, .. } => {
                let to = home.unwrap_or_else(|| list.clone());
                format!("move {} in {}", self.item(list, &item)?, self.title(&to)?)
            }
            ListOp::Update {
                item,
                text,
                done,
                note,
            } => {
                let mut says = Vec::new();
                says.extend(text.map(|text| format!("text {:?}", brief(&text))));
                says.extend(done.map(|done| if done { "checked" } else { "unchecked" }.to_owned()));
                says.extend(note.map(|note| format!("note {:?}", brief(&note))));
                format!(
                    "change {} in {title}: {}",
                    self.item(list, &item)?,
                    says.join(", ")
                )
            }
        }))
    }

    fn of_registry(&self, payload: &Payload) -> Result<Option<String>, StoreError> {
        let Some(op) = RegistryOp::read(payload) else {
            return Ok(None);
        };
        Ok(Some(match op {
            RegistryOp::Create { title, .. } => format!("new list {:?}", brief(&title)),
            RegistryOp::Restore { title, .. } => format!("restore list {:?}", brief(&title)),
            RegistryOp::Remove { list } => format!("delete {}", self.title(&list)?),
            RegistryOp::Reorder { list, .. } => format!("reorder {}", self.title(&list)?),
            RegistryOp::Rename { list, title } => {
                format!("rename {} to {:?}", self.title(&list)?, brief(&title))
            }
        }))
    }

    fn title(&self, list: &ListId) -> Result<String, StoreError> {
        let found = lists::list(self.view.connection(), list)?;
        let title = found
            .map(|found| found.title)
            .filter(|title| !title.is_empty());
        Ok(title.map_or_else(|| list.to_string(), |title| brief(&title)))
    }

    fn item(&self, list: &ListId, item: &ItemId) -> Result<String, StoreError> {
        let named = ItemRef {
            list: list.clone(),
            item: item.clone(),
        };
        let found = StoredLists::new(self.view.connection()).item(&named)?;
        let text = found
            .map(|found| found.text)
            .filter(|text| !text.is_empty());
        Ok(text.map_or_else(|| item.to_string(), |text| format!("{:?}", brief(&text))))
    }
}
