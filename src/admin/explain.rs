//! `/explain`: why flags are what they are, as JSON, or as text where that is accepted.
//!
//! POST keeps identifiers and traits out of URLs, which others on the way may log.
use std::collections::HashMap;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CONTENT_TYPE, HeaderValue, VARY};
use actix_web::web::{Payload, ServiceConfig, block};
use actix_web::{HttpRequest, HttpResponse};
use actors::environment::{ConfiguredEnvironment, EnvironmentStatus};
use actors::keys::EnvironmentId;
use bytes::Bytes;
use serde_json::json;

use super::{AdminContext, body};
use crate::error::ApiError;
use crate::explain::{Asking, AskingError, Content, Held, Known, Refusal, Source, explain};
use crate::routes::resource::resource;
use crate::routes::{answer, let_workers_go_first};

/// A body with as many traits as an identity may have, each as long as may be, takes some 2.5 MB.
const LONGEST_BODY: usize = 3 * 1024 * 1024;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

pub(super) fn configure(table: &mut ServiceConfig) {
    resource("/explain").get(get).post(post).register(table);
}

async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    answered(&request, Asking::from_query(request.query_string())).await
}

/// Answers a question that its body asks.
///
/// # Errors
/// 413, 408 and 400 for bodies that do not come whole.
async fn post(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let body = body::read(payload, LONGEST_BODY).await?;
    answered(&request, Asking::from_json(&body)).await
}

/// Explains on the one thread that the admin port has for blocking work: a document may take seconds to be read, and neither a
/// worker of the public port nor an actor waits for that.
async fn answered(
    request: &HttpRequest,
    asking: Result<Asking, AskingError>,
) -> Result<HttpResponse, ApiError> {
    let asking = match asking {
        Ok(asking) => asking,
        Err(error) => {
            let status = StatusCode::BAD_REQUEST;
            return Ok(refused(request, status, "question", &error.to_string()));
        }
    };
    let held = held(AdminContext::of(request)?).await;
    let as_text = prefers_text(request);
    let explained = block(move || {
        let_workers_go_first();
        explain(&asking, held).map(|answer| match as_text {
            true => answer.to_string().into_bytes(),
            false => answer.to_json(),
        })
    });
    let explained = explained.await.map_err(|_| ApiError::Unavailable)?;
    let mut answer = match explained {
        Ok(explained) if as_text => text(request, explained),
        Ok(explained) => answer::json(request.path(), StatusCode::OK, explained),
        Err(refusal) => refused(request, status(&refusal), refusal.about(), &refusal.to_string()),
    };
    answer
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("Accept"));
    Ok(answer)
}

/// Every configured environment, as it is served now.
async fn held(context: &AdminContext) -> Vec<Held> {
    let statuses = context.environments.statuses().await.unwrap_or_default();
    let statuses: HashMap<EnvironmentId, EnvironmentStatus> = statuses
        .into_iter()
        .map(|status| (status.environment, status))
        .collect();
    let newest = context.environments.newest();
    let configured = context.environments.configured();
    let configured = configured.borrow();
    configured
        .iter()
        .map(|ConfiguredEnvironment { id, options }| {
            let served = newest.environment(*id);
            let content = served.map(|served| Content {
                environment: served.environment.clone(),
                document: served.document.plain.clone(),
                updated_at: served.updated_at.to_rfc3339(),
                standing: statuses.get(id).and_then(standing),
                warnings: statuses
                    .get(id)
                    .map(|status| status.warnings.clone())
                    .unwrap_or_default(),
                source: Source {
                    kind: "running_proxy",
                    says: "the running proxy".to_owned(),
                },
            });
            Held {
                known: Known {
                    id: id.to_string(),
                    name: served.map(|served| served.environment.name().to_owned()),
                    client_side_key: options.client_side_key.clone(),
                },
                content: content.ok_or_else(|| match statuses.get(id).and_then(why_without) {
                    Some(why) => format!("it has no document yet: {why}"),
                    None => "it has no document yet; /status says what has become of its fetches".to_owned(),
                }),
            }
        })
        .collect()
}

/// What is wrong with an environment that is served: its document may be old, or another one's.
fn standing(status: &EnvironmentStatus) -> Option<String> {
    let detail = status.detail.as_ref()?;
    Some(format!(
        "health says {:?} of the environment: {detail}",
        status.status
    ))
}

/// Why an environment has no document yet, as far as its fetches have told.
fn why_without(status: &EnvironmentStatus) -> Option<&str> {
    status.detail.as_deref().filter(|_| !status.is_served)
}

/// Whether text is accepted, and JSON is not named.
fn prefers_text(request: &HttpRequest) -> bool {
    let accept = request.headers().get_all(ACCEPT);
    let accepted: Vec<String> = accept
        .filter_map(|accept| accept.to_str().ok())
        .map(str::to_ascii_lowercase)
        .collect();
    let names = |media_type: &str| accepted.iter().any(|accept| accept.contains(media_type));
    names("text/plain") && !names("application/json")
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Environment(none, _) if none.is_ambiguous() => StatusCode::CONFLICT,
        Refusal::Environment(..) | Refusal::Feature(_) => StatusCode::NOT_FOUND,
        Refusal::Identity(_) => StatusCode::BAD_REQUEST,
        Refusal::NoDocument(..) | Refusal::Document(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// A refusal; `about`: what of the question cannot be answered.
fn refused(request: &HttpRequest, status: StatusCode, about: &str, message: &str) -> HttpResponse {
    let name = match status {
        StatusCode::CONFLICT => "ambiguous",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::BAD_REQUEST => "bad_request",
        _ => "unavailable",
    };
    let body = json!({"status": name, "message": message, "about": about});
    answer::json(request.path(), status, body.to_string())
}

fn text(request: &HttpRequest, text: Vec<u8>) -> HttpResponse {
    let mut answer = answer::json(request.path(), StatusCode::OK, Bytes::new());
    answer.headers_mut().insert(CONTENT_TYPE, TEXT);
    answer.set_body(BoxBody::new(text))
}
