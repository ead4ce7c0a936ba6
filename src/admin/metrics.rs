//! `GET /metrics`: the process in numbers, in the format that the scraper takes.
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CONTENT_TYPE, HeaderValue, VARY};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

use super::AdminContext;
use crate::error::ApiError;
use crate::metrics::Format;
use crate::routes::answer;
use crate::routes::resource::resource;

pub(super) fn configure(table: &mut ServiceConfig) {
    resource("/metrics").get(get).register(table);
}

impl AdminContext {
    /// The metrics as text, for whoever asks and for a collector.
    pub(crate) async fn exposed(&self, format: Format) -> String {
        self.metrics.scrape(&self.parts.newest(), format).await
    }
}

async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let context = AdminContext::of(&request)?;
    let accept = request.headers().get_all(ACCEPT);
    let format = Format::accepted(accept.filter_map(|value| value.to_str().ok()));
    let text = context.exposed(format).await;
    let mut answer = answer::json(request.path(), StatusCode::OK, text);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    Ok(answer)
}
