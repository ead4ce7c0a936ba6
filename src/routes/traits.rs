//! Writes of traits and identities: `POST traits/`, `PUT traits/bulk/`, `POST traits/increment-value/` and
//! `POST bulk-identities/`. iOS's `setTrait`, Flutter's `createTrait` and Go's `BulkIdentify` call them.
//!
//! Nothing is stored here, so they are sent on to upstream with the caller's key, and upstream's answer comes back. They are
//! bounded in number ([`actors::forwarding`]), in time, and in size: a body within the limit of every body, all of them within
//! the budget of bodies.
use std::str;

use actix_web::http::Method;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use actors::environment::DocumentSource;
use actors::forwarding::NotForwarded;
use actors::keys::{EnvironmentId, EnvironmentKey};
use actors::upstream::ForwardRequest;

use crate::error::{ApiError, Shortage};
use crate::routes::resolve::{X_ENVIRONMENT_KEY, resolve};
use crate::routes::{Services, answer, body, written};
use crate::server::wait_aside;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// One kind of write.
#[derive(Debug, Clone)]
struct Write {
    method: Method,
    path: &'static str,
    /// Whether upstream is left in the same state when it comes twice.
    is_repeatable: bool,
}

/// Sets one trait.
///
/// # Errors
/// See [`send_on`].
pub(super) async fn post(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let write = Write {
        method: Method::POST,
        path: "traits/",
        is_repeatable: true,
    };
    send_on(request, payload, write).await
}

/// Sets traits of any number of identities.
///
/// # Errors
/// See [`send_on`].
pub(super) async fn put_bulk(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let write = Write {
        method: Method::PUT,
        path: "traits/bulk/",
        is_repeatable: true,
    };
    send_on(request, payload, write).await
}

/// Adds to a trait that is a number.
///
/// # Errors
/// See [`send_on`].
pub(super) async fn increment(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let write = Write {
        method: Method::POST,
        path: "traits/increment-value/",
        is_repeatable: false,
    };
    send_on(request, payload, write).await
}

/// Writes identities with their traits.
///
/// # Errors
/// See [`send_on`].
pub(super) async fn post_identities(
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let write = Write {
        method: Method::POST,
        path: "bulk-identities/",
        is_repeatable: true,
    };
    send_on(request, payload, write).await
}

/// Sends a write on and answers with upstream's status and body.
///
/// # Errors
/// Before the body is read: see [`resolve`]; 404 where the environment has no upstream; 400 where the key may set no traits;
/// 503 where too many writes are under way. Then: see [`body::read`]; 503 where upstream gives no answer in time.
async fn send_on(request: HttpRequest, payload: Payload, write: Write) -> Result<HttpResponse, ApiError> {
    let (environment, key) = match writing_key(&request).await {
        Ok(found) => found,
        Err(refused) => {
            body::discard(payload).await;
            return Err(refused);
        }
    };
    let services = Services::of(&request)?;
    let Services { shared, options, .. } = services;
    let body = body::read(&request, payload, services.body_limits()).await?;
    let mut held = shared.budgets.request_bodies.holder();
    if !held.try_add(body.len()) {
        return Err(ApiError::Overloaded(Shortage::Bodies));
    }
    let content_type = request.headers().get(CONTENT_TYPE).cloned().unwrap_or(JSON);
    let write_through = options.with(|options| options.write_through.clone());
    let written = write_through.as_ref().map(|_| body.clone());
    let call = shared.forwarding.forward(ForwardRequest {
        method: write.method,
        path: write.path,
        key,
        headers: vec![(CONTENT_TYPE, content_type)],
        body,
        is_repeatable: write.is_repeatable,
    });
    let answered = {
        let _aside = wait_aside(&request);
        call.await
    };
    if let (Some(write_through), Some(written), Ok(answer)) = (&write_through, written, &answered)
        && answer.status.is_success()
    {
        written::for_each(&written, |identity, key| {
            write_through.written_elsewhere(environment, identity, key);
        });
    }
    drop(held);
    match answered {
        Ok(answer) => answer::forwarded(&request, answer),
        Err(NotForwarded::Busy) => Err(ApiError::Overloaded(Shortage::Writes)),
        Err(NotForwarded::Failed(_)) => Err(ApiError::UpstreamAway),
        Err(NotForwarded::Unavailable) => Err(ApiError::Unavailable),
    }
}

/// The caller's environment and key, where it may write and there is room for another write.
async fn writing_key(request: &HttpRequest) -> Result<(EnvironmentId, EnvironmentKey), ApiError> {
    let resolved = resolve(request).await?;
    if !has_upstream(request, resolved.id)? {
        return Err(ApiError::NoUpstream);
    }
    if !resolved.served().takes_traits(resolved.kind) {
        return Err(ApiError::ClientTraits);
    }
    if !Services::of(request)?.shared.forwarding.has_place() {
        return Err(ApiError::Overloaded(Shortage::Writes));
    }
    let key = request.headers().get(X_ENVIRONMENT_KEY);
    let key = key.and_then(|key| str::from_utf8(key.as_bytes().trim_ascii()).ok());
    // It has opened an environment, so it is one of those that are configured, which are texts.
    key.map(|key| (resolved.id, EnvironmentKey::new(key)))
        .ok_or(ApiError::UnknownKey)
}

/// Whether an environment is one of upstream's, and not one of a file.
fn has_upstream(request: &HttpRequest, id: EnvironmentId) -> Result<bool, ApiError> {
    let configured = Services::of(request)?.shared.environments.configured();
    let configured = configured.borrow();
    let environment = configured.iter().find(|environment| environment.id == id);
    Ok(environment.is_some_and(|environment| environment.options.source == DocumentSource::Upstream))
}
