//! The logs of all tenants: which are open, who writes them, and who reads.
//!
//! Each open tenant has one writer thread, which commits whatever waits under one sync of the disk,
//! and a few readers. A stream holds no file: it wakes with the head, and asks for pages, which are
//! encoded once and shared.

mod checkpoint;
mod compacting;
mod decision;
mod looks;
mod making;
mod pages;
mod prepared;
mod readers;
mod served;
mod sight;
mod tenant;
mod tenants;
mod writer;

pub(crate) use compacting::When;
pub(crate) use looks::Look;
pub(crate) use pages::SharedPage;
pub(crate) use prepared::{PreparedFile, unfinished};
pub(crate) use served::ServedSchemaError;
pub use served::TenantBreak;
pub(crate) use sight::{Sight, Standing};
pub(crate) use tenant::Tenant;
pub(crate) use tenants::Tenants;
