//! `/sse/health`: whether subscribing makes sense here. Being full is no failure.
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use crate::error::ApiError;
use crate::routes::{Services, answer};

/// Answers 200 while the hub lives and is not draining.
///
/// # Errors
/// 503 where the App was built without its services.
pub(super) async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let shared = &Services::of(&request)?.shared;
    let may_ask = shared.state.is_alive() && !shared.state.is_draining();
    let is_ready = may_ask
        && shared
            .hub
            .counts()
            .await
            .is_some_and(|counts| !counts.is_draining);
    Ok(match is_ready {
        true => answer::json(request.path(), StatusCode::OK, r#"{"status":"ok"}"#),
        false => answer::json(
            request.path(),
            StatusCode::SERVICE_UNAVAILABLE,
            r#"{"status":"error"}"#,
        ),
    })
}
