//! What the page loads.
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

use crate::error::ApiError;
use crate::routes::resource::resource;

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");
const ICON: &str = include_str!("page/icon.svg");

pub(super) fn configure(table: &mut ServiceConfig) {
    resource("/status/page.css").get(style).register(table);
    resource("/status/page.js").get(script).register(table);
    resource("/status/icon.svg").get(icon).register(table);
}

async fn style(_: HttpRequest) -> Result<HttpResponse, ApiError> {
    Ok(file("text/css; charset=utf-8", STYLE))
}

async fn script(_: HttpRequest) -> Result<HttpResponse, ApiError> {
    Ok(file("text/javascript; charset=utf-8", SCRIPT))
}

async fn icon(_: HttpRequest) -> Result<HttpResponse, ApiError> {
    Ok(file("image/svg+xml", ICON))
}

/// The next version of the process has other ones, so browsers keep none.
fn file(content_type: &'static str, content: &'static str) -> HttpResponse {
    let mut answer = HttpResponse::Ok().body(content);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
