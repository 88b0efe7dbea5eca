//! The server: tenants, tokens, and the log over HTTP.
//!
//! [`serve`] takes a configuration, a listener and the moment to stop. Beneath it, [`tenant`] is the
//! log of one tenant without any HTTP or runtime, which the simulator drives as well.
//!
//! **Invariant:** nothing here prints, reads the environment or exits, and no SQL is here.

mod auth;
mod backups;
mod compactions;
mod config;
mod error;
mod http;
mod log;
mod metrics;
mod orders;
mod random;
mod routes;
mod serve;
mod server;
mod shapes;

pub mod admin;
pub mod tenant;

pub use auth::{
    Allowance, AuthMode, AuthSetupError, Credential, Denial, Exposure, Identity, JwtAlgorithm,
    JwtAlgorithmError, JwtConfig, JwtConfigError, JwtKey, NewToken, OperatorToken,
    OperatorTokenError, Rate, TokenRandom, TokenSecret, issue_token,
};
pub use config::{
    BackupPlan, CONNECTIONS_MAX, CompactionPlan, RateLimits, ServeConfig, TENANTS_OPEN_MAX,
    WRITE_WAIT,
};
pub use log::TenantBreak;
pub use routes::{OwnPaths, openapi_document};
pub use serve::{ReadyServer, ServeError, prepare, serve};
pub use shapes::{Deletes, ShapeSettings};
