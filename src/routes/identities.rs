//! `GET` and `POST identities/`: the flags of one identity. The request carries the traits; nothing is remembered.
use std::sync::Arc;

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use actors::served::Encoding;
use actors::trace;
use engine::{Body, Environment, Identity, KeyKind, LightWork, TooMuchWork};

use crate::error::ApiError;
use crate::routes::query::parameter;
use crate::routes::resolve::{Resolved, resolve};
use crate::routes::{Services, answer, body};
use crate::telemetry::Evaluations;

/// How the answer to an identity is coded.
#[derive(Debug, Clone, Copy)]
enum Coding {
    /// In gzip from the engine's ready pieces, where the plain body is long enough.
    Gzip,
    /// As it is; another coding that the request accepts is applied to the whole body.
    Plain,
}

impl Coding {
    fn of(request: &HttpRequest) -> Self {
        if answer::prefers_gzip(request) {
            Self::Gzip
        } else {
            Self::Plain
        }
    }

    fn light_answer(
        self,
        environment: &Environment,
        kind: KeyKind,
        identity: &Identity<'_>,
        work: LightWork,
    ) -> Result<Body, TooMuchWork> {
        match self {
            Self::Gzip => environment.light_identity_answer_gzip(kind, identity, Encoding::THRESHOLD, work),
            Self::Plain => environment
                .light_identity_answer(kind, identity, work)
                .map(Body::Plain),
        }
    }

    fn answer(self, environment: &Environment, kind: KeyKind, identity: &Identity<'_>) -> Body {
        match self {
            Self::Gzip => environment.identity_answer_gzip(kind, identity, Encoding::THRESHOLD),
            Self::Plain => Body::Plain(environment.identity_answer(kind, identity)),
        }
    }
}

/// Evaluates the identity that the body describes, and ignores a query string.
///
/// # Errors
/// See [`resolve`] and [`body::read`]; 400 where the body describes no identity; 503 where it takes much work and many do.
pub(super) async fn post<E: Evaluations>(
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    // The key comes first: 401 must not depend on what the body holds.
    let resolved = match resolve(&request).await {
        Ok(resolved) => resolved,
        Err(refused) => {
            body::discard(payload).await;
            return Err(refused);
        }
    };
    let services = Services::of(&request)?;
    let shared = &services.shared;
    let body = body::read(&request, payload, services.body_limits()).await?;
    let (kind, work, coding) = (resolved.kind, shared.heavy.first_try(), Coding::of(&request));
    let evaluation = E::begin();
    let light = with_body(&body, |identity| {
        write_through(services, &resolved, identity);
        coding.light_answer(resolved.served(), kind, identity, work)
    })?;
    let flags = match light {
        Ok(flags) => flags,
        Err(TooMuchWork) => {
            let answer = heavily(&request, &resolved, move |environment| {
                with_body(&body, |identity| coding.answer(environment, kind, identity))
            });
            // What seldom happens is boxed: every request moves the room that its future takes.
            Box::pin(answer).await?
        }
    };
    E::end_identity(evaluation);
    Ok(answer::single(&request, &resolved.environment, flags).await)
}

fn with_body<T>(body: &[u8], answer: impl FnOnce(&Identity<'_>) -> T) -> Result<T, ApiError> {
    let identity = Identity::from_json(body, rand::random).map_err(ApiError::InvalidIdentity)?;
    Ok(answer(&identity))
}

/// Evaluates the identity that `?identifier=` names, without traits; `?feature=` asks for one flag. `transient` changes
/// no flag, and keeps the identity from being written to upstream.
///
/// # Errors
/// See [`resolve`]; 400 for an identifier of more than 2,000 characters; 404 for a feature that is unknown or hidden from
/// the key; 503 where it takes much work and many do.
pub(super) async fn get<E: Evaluations>(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let resolved = resolve(&request).await?;
    let services = Services::of(&request)?;
    let (kind, environment) = (resolved.kind, resolved.served());
    let (work, coding) = (services.shared.heavy.first_try(), Coding::of(&request));
    let evaluation = E::begin();
    let light = with_query(request.query_string(), |identity, feature| {
        if !is_transient(request.query_string()) {
            write_through(services, &resolved, identity);
        }
        match feature {
            None => coding.light_answer(environment, kind, identity, work).map(Some),
            Some(name) => {
                let flag = environment.light_identity_flag(kind, identity, name, work)?;
                Ok(flag.map(Body::Plain))
            }
        }
    })?;
    let flags = match light {
        Ok(flags) => flags,
        Err(TooMuchWork) => {
            let query = request.query_string().to_owned();
            let answer = heavily(&request, &resolved, move |environment| {
                with_query(&query, |identity, feature| match feature {
                    None => Some(coding.answer(environment, kind, identity)),
                    Some(name) => environment.identity_flag(kind, identity, name).map(Body::Plain),
                })
            });
            Box::pin(answer).await?
        }
    };
    E::end_identity(evaluation);
    let flags = flags.ok_or(ApiError::UnknownFeature)?;
    Ok(answer::single(&request, &resolved.environment, flags).await)
}

fn with_query<T>(query: &str, answer: impl FnOnce(&Identity<'_>, Option<&str>) -> T) -> Result<T, ApiError> {
    let identifier = parameter(query, "identifier");
    let identity =
        Identity::from_query(identifier.as_deref(), rand::random).map_err(ApiError::InvalidQuery)?;
    Ok(answer(&identity, parameter(query, "feature").as_deref()))
}

/// Leaves an identity to be written to upstream in the background, where `forward_identities` is on and its key may set traits.
fn write_through(services: &Services, resolved: &Resolved, identity: &Identity<'_>) {
    services.options.with(|options| {
        if let Some(write_through) = &options.write_through
            && resolved.served().takes_traits(resolved.kind)
        {
            write_through.see(resolved.id, resolved.kind, identity);
        }
    });
}

/// Whether a query's `transient` is other than a no of Django REST framework's `BooleanField`.
fn is_transient(query: &str) -> bool {
    let no = |given: &str| matches!(given, "f" | "n" | "no" | "false" | "off" | "0" | "null");
    // Most queries have no such parameter, and are not read for it. With a `%` its name may be escaped.
    (query.contains("transient") || query.contains('%'))
        && parameter(query, "transient").is_some_and(|given| !no(&given.to_ascii_lowercase()))
}

/// Evaluates beside the workers, and warns of each segment that has taken all the work that a request may do, once each.
async fn heavily<T: Send + 'static>(
    request: &HttpRequest,
    resolved: &Resolved,
    evaluate: impl FnOnce(&Environment) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let served = Arc::clone(&resolved.environment);
    let traced = trace::current();
    let evaluated = Services::of(request)?.shared.heavy.run(move || {
        let _entered = traced.map(trace::enter);
        let evaluated = evaluate(&served.environment);
        for warning in served.environment.take_exhausted() {
            log::warn!("environment {:?}: {warning}", served.environment.name());
        }
        evaluated
    });
    evaluated.await?
}
