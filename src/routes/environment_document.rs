//! `GET environment-document/`: the whole document, for server-side SDKs that evaluate locally.
use actix_web::{HttpRequest, HttpResponse};
use engine::KeyKind;

use crate::error::ApiError;
use crate::routes::{answer, resolve::resolve};

/// Answers with the served document, in one page.
///
/// # Errors
/// See [`resolve`]; 401 for a client-side key, because the document holds every identity override.
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let resolved = resolve(&request).await?;
    if resolved.kind == KeyKind::Client {
        return Err(ApiError::ServerSideKeyRequired);
    }
    let served = &resolved.environment;
    Ok(answer::ready(&request, served, &served.document, Some(&served.last_modified)).await)
}
