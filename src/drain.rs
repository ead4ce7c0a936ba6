//! The drain as a layer around the routes: once the stop has begun, every answer ends its connection.
//!
//! A client that reuses connections would else send its next request into one that the server is about to close, and
//! lose it. Told by `Connection: close`, it opens another, to another instance where a load balancer has one.
use std::rc::Rc;
use std::sync::Arc;

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;

use crate::service_state::ServiceState;

/// The layer of one HTTP worker.
#[derive(Debug)]
pub struct LastAnswers {
    state: Arc<ServiceState>,
}

impl LastAnswers {
    /// By the state of the process.
    pub fn new(state: Arc<ServiceState>) -> Self {
        Self { state }
    }

    /// Ends the connection of this answer while the process drains; a closure around this goes to `App::wrap_fn`.
    pub fn apply<S>(
        self: Rc<Self>,
        request: ServiceRequest,
        routes: &S,
    ) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
    where
        S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
    {
        let answer = routes.call(request);
        async move {
            let mut answer = answer.await?;
            if self.state.is_draining() {
                answer
                    .response_mut()
                    .head_mut()
                    .set_connection_type(ConnectionType::Close);
            }
            Ok(answer)
        }
    }
}
