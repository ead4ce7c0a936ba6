//! `GET /`: what there is on the admin port. Every other path is 404.
use actix_web::http::StatusCode;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};

use super::TABLE;
use crate::error::ApiError;
use crate::routes::answer;
use crate::routes::resource::resource;

pub(super) fn configure(table: &mut ServiceConfig) {
    resource("").get(get).register(table);
    table.default_service(web::to(no_other_path));
}

async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let resources = TABLE
        .iter()
        .map(|entry| (entry.path.to_owned(), Value::from(entry.about)))
        .collect::<Map<_, _>>();
    let body = json!({"edge_proxy": env!("CARGO_PKG_VERSION"), "resources": resources});
    Ok(answer::json(request.path(), StatusCode::OK, body.to_string()))
}

async fn no_other_path(request: HttpRequest) -> HttpResponse {
    answer::refused(request.path(), &ApiError::UnknownPath)
}
