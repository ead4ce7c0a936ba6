//! Paths with their methods.
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Resource};

use crate::error::ApiError;
use crate::routes::body;

/// `Allow` of a resource that is read.
pub const GET: &str = "GET, HEAD, OPTIONS";

/// `Allow` of a resource that is read, with parameters in the query or in a body.
pub const GET_POST: &str = "GET, HEAD, POST, OPTIONS";

/// `Allow` of a resource that takes a body.
pub const POST: &str = "POST, OPTIONS";

/// Registers a path with and without its trailing slash: two fixed paths, because one pattern with an optional slash
/// would be matched by a regular expression on every request.
pub fn at(
    table: &mut ServiceConfig,
    path: &str,
    allow: &'static str,
    methods: impl Fn(Resource) -> Resource,
) {
    for path in [format!("{path}/"), path.to_owned()] {
        let resource = methods(web::resource(path));
        table.service(resource.default_service(web::to(move |request, payload| {
            other_method(request, payload, allow)
        })));
    }
}

/// OPTIONS that is no preflight (those never get here), and methods that the resource does not know.
async fn other_method(request: HttpRequest, payload: Payload, allow: &'static str) -> HttpResponse {
    body::discard(payload).await;
    if *request.method() != Method::OPTIONS {
        return ApiError::MethodNotAllowed(allow).answer();
    }
    let mut answer = HttpResponse::Ok().finish();
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allow));
    answer
}

/// Every path that is not in the table.
pub async fn unknown_path(payload: Payload) -> HttpResponse {
    body::discard(payload).await;
    ApiError::UnknownPath.answer()
}
