//! `GET flags/`: the environment's defaults, no identity involved.
use actix_web::{HttpRequest, HttpResponse};
use engine::Body;

use crate::error::ApiError;
use crate::routes::query::parameter;
use crate::routes::{answer, resolve::resolve};

/// Answers with all flags that the key may see, or with the one that `?feature=` names.
///
/// # Errors
/// See [`resolve`]; 404 for a feature that is unknown or hidden from the key.
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let resolved = resolve(&request).await?;
    let served = &resolved.environment;
    match parameter(request.query_string(), "feature") {
        None => Ok(answer::ready(&request, served, served.flags(resolved.kind), None).await),
        Some(name) => {
            let flag = served
                .environment
                .flag(resolved.kind, &name)
                .ok_or(ApiError::UnknownFeature)?;
            Ok(answer::single(&request, served, Body::Plain(flag)).await)
        }
    }
}
