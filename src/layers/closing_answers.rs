//! Closing answers: once the stop has begun, every answer ends its connection.
//!
//! A client that reuses connections would else send its next request into one that the server is about to close, and
//! lose it. `Connection: close` makes it open another one, to another instance where a load balancer has one.
use std::rc::Rc;
use std::sync::Arc;

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use futures::TryFutureExt as _;

use crate::service_state::ServiceState;

/// The layer; clones share the state.
#[derive(Debug, Clone)]
pub(super) struct ClosingAnswers {
    state: Arc<ServiceState>,
}

impl ClosingAnswers {
    /// Makes the layer; `state` tells whether the process drains.
    pub(super) fn new(state: Arc<ServiceState>) -> Self {
        Self { state }
    }

    /// Ends the connection of this answer while the process drains.
    pub(super) fn apply<S>(
        self: &Rc<Self>,
        request: ServiceRequest,
        routes: &S,
    ) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
    where
        S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
    {
        // The worker's own count: that of the state is every worker's, and each request would write to it.
        let own = Rc::clone(self);
        // No async block: it would have room for the answer to come twice, and move it once more for each request.
        routes.call(request).map_ok(move |mut answer| {
            if own.state.is_draining() {
                answer
                    .response_mut()
                    .head_mut()
                    .set_connection_type(ConnectionType::Close);
            }
            answer
        })
    }
}
