//! `GET` and `POST identities/`: the flags of one identity. The request carries the traits; nothing is remembered.
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use engine::{Environment, Identity};

use crate::error::ApiError;
use crate::routes::query::parameter;
use crate::routes::{Services, answer, body, resolve::resolve};

/// Evaluates the identity that the body describes, and ignores a query string.
///
/// # Errors
/// See [`resolve`] and [`body::read`]; 400 where the body describes no identity.
pub(super) async fn post(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    // The key comes first: 401 must not depend on what the body holds.
    let resolved = match resolve(&request).await {
        Ok(resolved) => resolved,
        Err(refused) => {
            body::discard(payload).await;
            return Err(refused);
        }
    };
    let body = body::read(&request, payload, Services::of(&request)?.shared.body_limits).await?;
    let identity = Identity::from_json(&body, rand::random).map_err(ApiError::InvalidIdentity)?;
    let served = &resolved.environment;
    let flags = served.environment.identity_answer(resolved.kind, &identity);
    report_exhausted(&served.environment);
    Ok(answer::single(&request, served, flags).await)
}

/// Evaluates the identity that `?identifier=` names, without traits; `?feature=` asks for one flag. `transient` changes
/// nothing, because the proxy stores no identity.
///
/// # Errors
/// See [`resolve`]; 400 for an identifier of more than 2,000 characters; 404 for a feature that is unknown or hidden from the key.
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let resolved = resolve(&request).await?;
    let identifier = parameter(request.query_string(), "identifier");
    let identity =
        Identity::from_query(identifier.as_deref(), rand::random).map_err(ApiError::InvalidIdentity)?;
    let served = &resolved.environment;
    let flags = match parameter(request.query_string(), "feature") {
        None => served.environment.identity_answer(resolved.kind, &identity),
        Some(name) => served
            .environment
            .identity_flag(resolved.kind, &identity, &name)
            .ok_or(ApiError::UnknownFeature)?,
    };
    report_exhausted(&served.environment);
    Ok(answer::single(&request, served, flags).await)
}

/// Warns of each segment that has taken all the work that a request may do, once each.
fn report_exhausted(environment: &Environment) {
    for warning in environment.take_exhausted() {
        log::warn!("environment {:?}: {warning}", environment.name());
    }
}
