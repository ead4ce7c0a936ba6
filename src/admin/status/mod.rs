//! `/status`: how the process and its environments fare, for people as a page, for programs as JSON.
//!
//! # Layout
//! - `mod.rs`: which of the two an answer is.
//! - `report`: what both say, asked once for all who ask at the same time (`shared`); `environments`: of each environment,
//!   `process`: of the process; `rates`: requests a second;
//!   `time`: moments.
//! - `page`: the page and its parts, in the templates of `page/`; `files`: what it loads.
//! - `events`: what has changed since, for pages that are open; `changes`: the parts of a page that have.
mod changes;
mod environments;
mod events;
mod files;
mod page;
mod process;
mod rates;
mod report;
mod shared;
mod time;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, VARY,
};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

use super::AdminContext;
use crate::error::ApiError;
use crate::routes::answer;
use crate::routes::resource::resource;

pub(super) use events::Viewers;
use page::Page;
pub(super) use rates::Rates;
pub(super) use report::Report;
pub(super) use shared::Shared;

/// The page loads its own files, and follows its own stream. Nothing of it comes from elsewhere.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

pub(super) fn configure(table: &mut ServiceConfig) {
    resource("/status").get(get).register(table);
    resource("/status.json").get(json).register(table);
    resource("/status/events")
        .get(events::get)
        .head(events::head)
        .register(table);
    files::configure(table);
}

/// Answers with the page, or as JSON where the request accepts that and no page.
async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let mut answer = if prefers_json(&request) {
        json(request).await?
    } else {
        html(&request).await?
    };
    answer
        .headers_mut()
        .insert(VARY, HeaderValue::from_static("Accept"));
    Ok(answer)
}

async fn json(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let report = Report::now(AdminContext::of(&request)?).await;
    let body = serde_json::to_vec(&*report).unwrap_or_default();
    Ok(answer::json(request.path(), StatusCode::OK, body))
}

async fn html(request: &HttpRequest) -> Result<HttpResponse, ApiError> {
    let report = Report::now(AdminContext::of(request)?).await;
    let page = Page::of(&report, request.path())
        .write()
        .ok_or(ApiError::Unavailable)?;
    let mut answer = HttpResponse::Ok().body(page);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    Ok(answer)
}

/// Browsers name `text/html`, programs that want JSON name it alone, and curl takes anything.
fn prefers_json(request: &HttpRequest) -> bool {
    let accept = request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    let names = |media: &str| accept.is_some_and(|accept| accept.to_ascii_lowercase().contains(media));
    names("application/json") && !names("text/html")
}
