//! Looking at the view, and writing ops of this server's actor: what the routes over threads, lists and
//! records share.

use syncline_model::{ActorId, ServerSeq, UserId};
use syncline_store::{StoreError, TenantFile};

use syncline_protocol::ErrorCode;

use crate::error::ApiError;
use crate::http::Call;
use crate::log::Tenant;
use crate::tenant::NewOp;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The longest name that a user gives a request, in bytes.
const REQUEST_NAME_BYTES_MAX: usize = 255;

/// Why a look at the view, or a decision on it, came to nothing.
#[derive(Debug)]
pub(super) enum Stop {
    Refused(ApiError),
    Store(StoreError),
}

impl From<ApiError> for Stop {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Looks at one state of the tenant's file.
pub(super) async fn look<T: Send + 'static>(
    call: &Call,
    look: impl FnOnce(&TenantFile) -> Result<T, Stop> + Send + 'static,
) -> Result<T, ApiError> {
    look_at(&*call.tenant().await?, look).await
}

/// As [`look`], of a tenant that is open.
pub(super) async fn look_at<T: Send + 'static>(
    tenant: &Tenant,
    look: impl FnOnce(&TenantFile) -> Result<T, Stop> + Send + 'static,
) -> Result<T, ApiError> {
    tenant
        .read(move |file| match file.snapshot(look) {
            Ok(found) => Ok(Ok(found)),
            Err(Stop::Refused(error)) => Ok(Err(error)),
            Err(Stop::Store(error)) => Err(error.into()),
        })
        .await?
}

/// Decides on the view as it stands when the request's turn comes, and writes the ops; answers once
/// they are on disk.
pub(super) async fn decide<T: Send + 'static>(
    call: &Call,
    judge: impl FnMut(&TenantFile) -> Result<(Vec<NewOp>, T), Stop> + Send + 'static,
) -> Result<(T, Vec<ServerSeq>), ApiError> {
    decide_as(call, None, judge).await
}

/// As [`decide`], with ops of `actor`, or else of this server's.
pub(super) async fn decide_as<T: Send + 'static>(
    call: &Call,
    actor: Option<ActorId>,
    mut judge: impl FnMut(&TenantFile) -> Result<(Vec<NewOp>, T), Stop> + Send + 'static,
) -> Result<(T, Vec<ServerSeq>), ApiError> {
    let tenant = call.tenant().await?;
    let judge = move |file: &TenantFile| match judge(file) {
        Ok((ops, answer)) => Ok((ops, Ok(answer))),
        Err(Stop::Refused(error)) => Ok((Vec::new(), Err(error))),
        Err(Stop::Store(error)) => Err(error),
    };
    let (answer, places) = tenant.decide(actor, judge, call.body.held()).await?;
    Ok((answer?, places))
}

/// The `Idempotency-Key` of a request, with who sent it; none: it has none.
///
/// What a request makes gets its id from this: the op carries the id and the view keeps it, so a
/// repeat is found whichever server it reaches.
pub(super) fn idempotency_key(call: &Call) -> Result<Option<String>, ApiError> {
    let Some(value) = call.headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let text = value.to_str().ok().map(str::trim);
    let name = text.and_then(|text| request_name(&call.identity().user, text));
    let message = "must be 1 to 255 ASCII characters that can be seen";
    let name = name.ok_or_else(|| ApiError::invalid_field("Idempotency-Key", message))?;
    Ok(Some(name))
}

/// The refusal of a request whose `Idempotency-Key` was that of another one.
pub(super) fn key_reused() -> ApiError {
    ApiError::new(
        ErrorCode::KeyConflict,
        "an earlier request with this Idempotency-Key asked for something else",
    )
}

/// The name of a user's request, as they call it; none: it can't be called so.
pub(super) fn request_name(user: &UserId, text: &str) -> Option<String> {
    let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let is_name = is_printable && (1..=REQUEST_NAME_BYTES_MAX).contains(&text.len());
    is_name.then(|| format!("{user}\0{text}"))
}
