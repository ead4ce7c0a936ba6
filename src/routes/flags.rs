//! `GET flags/`: the environment's defaults, no identity involved.
use actix_web::{HttpRequest, HttpResponse};
use engine::Body;

use crate::error::ApiError;
use crate::routes::query::parameter;
use crate::routes::{answer, resolve::resolve};
use crate::telemetry::Evaluations;

/// Answers with all flags that the key may see, or with the one that `?feature=` names.
///
/// # Errors
/// See [`resolve`]; 404 for a feature that is unknown or hidden from the key.
pub(super) async fn get<E: Evaluations>(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let resolved = resolve(&request).await?;
    let served = &resolved.environment;
    let evaluation = E::begin();
    match parameter(request.query_string(), "feature") {
        None => {
            let flags = served.flags(resolved.kind);
            E::end_flags(evaluation, || Some(served.flag_count(resolved.kind)));
            Ok(answer::ready(&request, served, flags, None).await)
        }
        Some(name) => {
            let flag = served.environment.flag(resolved.kind, &name);
            E::end_flags(evaluation, || None);
            let flag = flag.ok_or(ApiError::UnknownFeature)?;
            Ok(answer::single(&request, served, Body::Plain(flag)).await)
        }
    }
}
