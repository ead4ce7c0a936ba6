//! Overload: what the process cannot take on is refused at once, before it costs anything.
//!
//! Whoever probes the process is answered all the same: a busy process is not a dead one.
use std::rc::Rc;

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use futures::future::{Either, ready};

use crate::budget::{Budgets, ByteBudget};
use crate::error::ApiError;
use crate::routes::answer;
use crate::server::ConnectionState;

/// The layer; clones share the budgets.
#[derive(Debug, Clone)]
pub(super) struct Overload {
    unsent_answers: ByteBudget,
}

impl Overload {
    /// Makes the layer.
    pub(super) fn new(budgets: &Budgets) -> Self {
        Self {
            unsent_answers: budgets.unsent_answers.clone(),
        }
    }

    /// Refuses the request where there is too much in hand.
    pub(super) fn apply<S>(
        &self,
        request: ServiceRequest,
        routes: &S,
    ) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
    where
        S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
    {
        let connection = request.conn_data::<Rc<ConnectionState>>();
        let has_no_place = connection.is_some_and(|connection| connection.has_no_place());
        if (has_no_place || self.unsent_answers.is_spent()) && !is_probe(request.path()) {
            let answer = answer::refused(&ApiError::Overloaded);
            return Either::Left(ready(Ok(request.into_response(answer))));
        }
        Either::Right(routes.call(request))
    }
}

/// Tells whether this is one of the health routes, all of which end so.
fn is_probe(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    ["/health", "/readiness", "/liveness"]
        .iter()
        .any(|end| path.ends_with(end))
}
