//! Looking at the view, and writing ops of this server's actor: what the routes over threads and over
//! lists share.

use syncline_model::ServerSeq;
use syncline_store::{StoreError, TenantFile};

use crate::error::ApiError;
use crate::http::Call;
use crate::tenant::NewOp;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The longest `Idempotency-Key`, in bytes.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

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
    let tenant = call.tenant().await?;
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
    mut judge: impl FnMut(&TenantFile) -> Result<(Vec<NewOp>, T), Stop> + Send + 'static,
) -> Result<(T, Vec<ServerSeq>), ApiError> {
    let tenant = call.tenant().await?;
    let judge = move |file: &TenantFile| match judge(file) {
        Ok((ops, answer)) => Ok((ops, Ok(answer))),
        Err(Stop::Refused(error)) => Ok((Vec::new(), Err(error))),
        Err(Stop::Store(error)) => Err(error),
    };
    let (answer, places) = tenant.decide(judge, call.body.held()).await?;
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
    let text = text.filter(|text| (1..=IDEMPOTENCY_KEY_BYTES_MAX).contains(&text.len()));
    let message = "must be 1 to 255 visible ASCII characters";
    let text = text.ok_or_else(|| ApiError::invalid_field("Idempotency-Key", message))?;
    let user = &call.identity().user;
    Ok(Some(format!("{user}\0{text}")))
}
