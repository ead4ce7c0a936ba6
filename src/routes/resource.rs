//! Paths with their methods.
use actix_web::dev::{ServiceRequest, ServiceResponse, fn_service};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, Payload, ServiceConfig};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, Resource};

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
    for path in both_spellings(path) {
        let resource = methods(web::resource(path));
        table.service(resource.default_service(web::to(move |request, payload| {
            other_method(request, payload, allow)
        })));
    }
}

/// As [`at`], for a resource that is read, and often.
pub fn at_busy<F>(table: &mut ServiceConfig, path: &str, get: impl Fn(HttpRequest) -> F + Copy + 'static)
where
    F: Future<Output = Result<HttpResponse, ApiError>> + 'static,
{
    service(table, path, move |request, payload| async move {
        match *request.method() {
            Method::GET | Method::HEAD => get(request).await,
            _ => Ok(other_method(request, payload, GET).await),
        }
    });
}

/// As [`at_busy`], for a resource that takes a body too.
pub fn at_busy_with_post<F, P>(
    table: &mut ServiceConfig,
    path: &str,
    get: impl Fn(HttpRequest) -> F + Copy + 'static,
    post: impl Fn(HttpRequest, Payload) -> P + Copy + 'static,
) where
    F: Future<Output = Result<HttpResponse, ApiError>> + 'static,
    P: Future<Output = Result<HttpResponse, ApiError>> + 'static,
{
    service(table, path, move |request, payload| async move {
        match *request.method() {
            Method::POST => post(request, payload).await,
            Method::GET | Method::HEAD => get(request).await,
            _ => Ok(other_method(request, payload, GET_POST).await),
        }
    });
}

/// A plain service in place of actix-web's `Resource`, whose method guards note for each request what they were asked
/// (three allocations), and whose route and handler box a future each.
fn service<F>(
    table: &mut ServiceConfig,
    path: &str,
    answer: impl Fn(HttpRequest, Payload) -> F + Copy + 'static,
) where
    F: Future<Output = Result<HttpResponse, ApiError>> + 'static,
{
    for path in both_spellings(path) {
        let service = fn_service(move |request: ServiceRequest| {
            let (request, mut payload) = request.into_parts();
            let payload = Payload::from_request(&request, &mut payload).into_inner();
            async move {
                let answered = answer(request.clone(), payload?).await;
                let answered = answered.unwrap_or_else(|refused| refused.answer());
                Ok::<_, Error>(ServiceResponse::new(request, answered))
            }
        });
        table.service(web::service(path.as_str()).finish(service));
    }
}

fn both_spellings(path: &str) -> [String; 2] {
    [format!("{path}/"), path.to_owned()]
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
