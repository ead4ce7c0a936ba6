//! Resources: a path with its handlers by method.
//!
//! GET implies HEAD (the server leaves the body out), unless HEAD has a handler of its own. Every resource answers
//! OPTIONS. Every other method is 405 with a complete `Allow`.
//!
//! A resource is a plain service and not actix-web's `Resource`: the method guards of that one note what each request
//! asked them (three allocations), and its route and its handler box a future each.
use std::rc::Rc;

use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse, fn_service};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, Payload};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, guard};

use crate::error::ApiError;
use crate::routes::table::Register;
use crate::routes::{answer, body};

/// What a handler gives.
type Outcome = Result<HttpResponse, ApiError>;

/// The methods that can have a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
}

impl Verb {
    /// Those that need a handler, in the order of `Allow`. Every resource answers OPTIONS, with or without one.
    const ALL: [Self; 5] = [Self::Get, Self::Head, Self::Post, Self::Put, Self::Delete];

    fn of(method: &Method) -> Option<Self> {
        match *method {
            Method::GET => Some(Self::Get),
            Method::HEAD => Some(Self::Head),
            Method::POST => Some(Self::Post),
            Method::PUT => Some(Self::Put),
            Method::DELETE => Some(Self::Delete),
            Method::OPTIONS => Some(Self::Options),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

/// The handlers of a resource, as a list by type: a request costs comparisons, and no allocation.
pub(crate) trait Handlers: Copy + 'static {
    /// Tells whether there is a handler for this method.
    fn has(self, verb: Verb) -> bool;

    /// Lets the handler answer the request; gives the payload back where there is no handler.
    fn answer(
        self,
        verb: Verb,
        request: HttpRequest,
        payload: Payload,
    ) -> impl Future<Output = Result<Outcome, Payload>>;
}

/// The end of the list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoMore;

impl Handlers for NoMore {
    fn has(self, _: Verb) -> bool {
        false
    }

    async fn answer(self, _: Verb, _: HttpRequest, payload: Payload) -> Result<Outcome, Payload> {
        Err(payload)
    }
}

/// One handler, and the rest of the list.
#[derive(Debug, Clone, Copy)]
struct On<H, R> {
    verb: Verb,
    handler: H,
    rest: R,
}

impl<H, F, R> Handlers for On<H, R>
where
    H: Fn(HttpRequest, Payload) -> F + Copy + 'static,
    F: Future<Output = Outcome> + 'static,
    R: Handlers,
{
    fn has(self, verb: Verb) -> bool {
        self.verb == verb || self.rest.has(verb)
    }

    async fn answer(self, verb: Verb, request: HttpRequest, payload: Payload) -> Result<Outcome, Payload> {
        if self.verb == verb {
            Ok((self.handler)(request, payload).await)
        } else {
            self.rest.answer(verb, request, payload).await
        }
    }
}

/// A path with its handlers.
#[derive(Debug)]
pub(crate) struct Resource<H> {
    path: String,
    handlers: H,
}

/// Starts the resource at a path, which may hold parameters and has no trailing slash.
pub(crate) fn resource(path: impl Into<String>) -> Resource<NoMore> {
    Resource {
        path: path.into(),
        handlers: NoMore,
    }
}

impl<R: Handlers> Resource<R> {
    /// Answers GET, and HEAD without a handler of its own.
    pub(crate) fn get<F>(self, handler: impl Fn(HttpRequest) -> F + Copy + 'static) -> Resource<impl Handlers>
    where
        F: Future<Output = Outcome> + 'static,
    {
        self.on(Verb::Get, move |request, _| handler(request))
    }

    /// Answers HEAD otherwise than GET.
    pub(crate) fn head<F>(
        self,
        handler: impl Fn(HttpRequest) -> F + Copy + 'static,
    ) -> Resource<impl Handlers>
    where
        F: Future<Output = Outcome> + 'static,
    {
        self.on(Verb::Head, move |request, _| handler(request))
    }

    /// Answers POST.
    pub(crate) fn post<F>(
        self,
        handler: impl Fn(HttpRequest, Payload) -> F + Copy + 'static,
    ) -> Resource<impl Handlers>
    where
        F: Future<Output = Outcome> + 'static,
    {
        self.on(Verb::Post, handler)
    }

    /// Answers a method that takes a body.
    pub(crate) fn on<F>(
        self,
        verb: Verb,
        handler: impl Fn(HttpRequest, Payload) -> F + Copy + 'static,
    ) -> Resource<impl Handlers>
    where
        F: Future<Output = Outcome> + 'static,
    {
        Resource {
            path: self.path,
            handlers: On {
                verb,
                handler,
                rest: self.handlers,
            },
        }
    }

    /// Registers the path with and without its trailing slash; an empty one is the root. These are two paths, because a pattern with an optional
    /// slash would cost every request a regular expression.
    pub(crate) fn register(self, table: &mut impl Register) {
        table.note(&self.path);
        let paths = self.paths();
        let service = self.service();
        for path in paths {
            table.service(web::service(path).finish(service.clone()));
        }
    }

    /// Does the same for a path that is there at times; at other times it is one that is not in the table.
    pub(super) fn register_while(
        self,
        table: &mut impl Register,
        is_there: impl Fn() -> bool + Clone + 'static,
    ) {
        table.note(&self.path);
        let paths = self.paths();
        let service = self.service();
        for path in paths {
            let is_there = is_there.clone();
            let guarded = web::service(path).guard(guard::fn_guard(move |_| is_there()));
            table.service(guarded.finish(service.clone()));
        }
    }

    fn paths(&self) -> Vec<String> {
        let path = &self.path;
        let with_slash = format!("{path}/");
        if path.is_empty() {
            vec![with_slash]
        } else {
            vec![with_slash, path.clone()]
        }
    }

    /// What answers at the path.
    fn service(
        self,
    ) -> impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    > + Clone
    + 'static {
        let Self { handlers, .. } = self;
        let has_head = handlers.has(Verb::Head);
        let allow = Rc::new(allow(handlers));
        fn_service(move |request: ServiceRequest| {
            let allow = Rc::clone(&allow);
            let (request, payload) = parts(request);
            async move {
                let payload = payload?;
                let verb = match Verb::of(request.method()) {
                    Some(Verb::Head) if !has_head => Some(Verb::Get),
                    verb => verb,
                };
                let answered = match verb {
                    Some(verb) => handlers.answer(verb, request.clone(), payload).await,
                    None => Err(payload),
                };
                let answer = match answered {
                    Ok(Ok(answer)) => answer,
                    Ok(Err(error)) => answer::refused(request.path(), &error),
                    Err(payload) => other_method(&request, payload, &allow).await,
                };
                Ok::<_, Error>(ServiceResponse::new(request, answer))
            }
        })
    }
}

/// Takes a request apart, for handlers that read its body.
pub(super) fn parts(request: ServiceRequest) -> (HttpRequest, Result<Payload, Error>) {
    let (request, mut payload) = request.into_parts();
    let payload = Payload::from_request(&request, &mut payload).into_inner();
    (request, payload)
}

/// Names every method that a resource answers.
fn allow(handlers: impl Handlers) -> HeaderValue {
    let mut names = String::new();
    for verb in Verb::ALL {
        if handlers.has(verb) || (verb == Verb::Head && handlers.has(Verb::Get)) {
            names.push_str(verb.name());
            names.push_str(", ");
        }
    }
    names.push_str("OPTIONS");
    // Names and commas are always a header value.
    HeaderValue::try_from(names).unwrap_or_else(|_| HeaderValue::from_static("OPTIONS"))
}

/// Answers OPTIONS that is no preflight (the CORS layer answers those), and methods that the resource does not know.
async fn other_method(request: &HttpRequest, payload: Payload, allow: &HeaderValue) -> HttpResponse {
    body::discard(payload).await;
    if *request.method() != Method::OPTIONS {
        return answer::refused(request.path(), &ApiError::MethodNotAllowed(allow.clone()));
    }
    let mut answer = answer::options(request.path());
    answer.headers_mut().insert(ALLOW, allow.clone());
    answer
}

#[cfg(test)]
mod tests;
