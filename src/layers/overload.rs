//! Overload: what the process cannot take on is refused at once, before it costs anything; event streams in their own time.
//!
//! Whoever probes the process is answered all the same: a busy process is not a dead one.
use std::sync::Arc;

use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpMessage as _};
use futures::future::Either;
use tokio::time::Instant;

use crate::budget::{Budgets, ByteBudget};
use crate::error::{ApiError, Shortage};
use crate::routes::{answer, body, is_of_a_stream, refuse_stream};
use crate::server::InProgress;

/// The layer; clones share the budgets.
#[derive(Debug, Clone)]
pub(super) struct Overload {
    unsent_answers: ByteBudget,
    path_prefix: Arc<str>,
}

impl Overload {
    /// Makes the layer; `path_prefix`: `server.path_prefix`.
    pub(super) fn new(budgets: &Budgets, path_prefix: &str) -> Self {
        Self {
            unsent_answers: budgets.unsent_answers.clone(),
            path_prefix: path_prefix.into(),
        }
    }

    /// Refuses the request where there is too much in hand.
    pub(super) fn apply<S>(
        &self,
        mut request: ServiceRequest,
        routes: &S,
    ) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
    where
        S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
    {
        if let Some(shortage) = self.shortage(&request)
            && !self.is_probe(request.path())
        {
            let asked = Instant::now();
            // In a box, because every request moves the room that this future would take.
            return Either::Left(Box::pin(async move {
                body::discard(request.take_payload()).await;
                // Who listens comes back at once, and often. What has no place cannot wait.
                let (error, has_place) = (ApiError::Overloaded(shortage), shortage != Shortage::Connections);
                let answer = if is_of_a_stream(request.path()) && has_place {
                    refuse_stream(request.request(), &error, asked).await
                } else {
                    // The connection goes on: a new one would cost more than this.
                    answer::refused(request.path(), &error)
                };
                Ok(request.into_response(answer))
            }));
        }
        Either::Right(routes.call(request))
    }

    /// Of what there is too much in hand, if anything.
    fn shortage(&self, request: &ServiceRequest) -> Option<Shortage> {
        let known = InProgress::of(request.request());
        if known.as_ref().is_some_and(InProgress::has_no_place) {
            Some(Shortage::Connections)
        } else if known.is_some_and(|known| known.worker_is_full()) {
            Some(Shortage::Requests)
        } else {
            self.unsent_answers.is_spent().then_some(Shortage::Answers)
        }
    }

    /// Tells whether this is the root or one of the health routes, all of which end so.
    fn is_probe(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty()
            || *path == *self.path_prefix
            || ["/health", "/readiness", "/liveness"]
                .iter()
                .any(|end| path.ends_with(end))
    }
}
