//! `POST /sse/environments/{client-side key}/queue-change`: Flagsmith's core API announces a change here, when its
//! `SSE_SERVER_BASE_URL` names the proxy. It waits 2 s for the answer and does not retry.
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use actors::keys::EnvironmentId;
use engine::UpdatedAt;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::error::ApiError;
use crate::routes::resolve::environment_of_path;
use crate::routes::{Services, answer, body};
use crate::settings::Secret;

/// Answers at once, while the fetch goes on.
///
/// # Errors
/// 401 without the token (before anything else is looked at), 404 for an unknown environment, 400 for a body that
/// names no time.
pub(super) async fn post(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let id = match announced_environment(&request).await {
        Ok(id) => id,
        Err(refused) => {
            body::discard(payload).await;
            return Err(refused);
        }
    };
    let services = Services::of(&request)?;
    let body = body::read(&request, payload, services.body_limits()).await?;
    let updated_at = announced_time(&body).ok_or(ApiError::InvalidChange)?;
    services.shared.environments.refresh(id, Some(updated_at));
    Ok(answer::json(request.path(), StatusCode::OK, "{}"))
}

/// Reads the time: core writes ISO 8601, and a time without a zone is UTC.
fn announced_time(body: &[u8]) -> Option<UpdatedAt> {
    // The type is a map, because serde would read a derived struct from an array as well.
    let change: Map<String, Value> = serde_json::from_slice(body).ok()?;
    UpdatedAt::parse(change.get("updated_at")?.as_str()?)
}

async fn announced_environment(request: &HttpRequest) -> Result<EnvironmentId, ApiError> {
    if !is_authenticated(request)? {
        return Err(ApiError::WrongAuthenticationToken);
    }
    environment_of_path(request)
        .await?
        .ok_or(ApiError::UnknownEnvironment)
}

/// Tells whether `Authorization: Token …` names the configured token. The time of the comparison does not tell where
/// the two differ; it may tell the length, which is no secret.
fn is_authenticated(request: &HttpRequest) -> Result<bool, ApiError> {
    let given = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Token "));
    let Some(given) = given else { return Ok(false) };
    let is_the_token = |expected: &Secret| bool::from(given.trim_ascii().ct_eq(expected.reveal().as_bytes()));
    Ok(Services::of(request)?
        .options
        .with(|options| options.authentication_token.as_ref().is_some_and(is_the_token)))
}
