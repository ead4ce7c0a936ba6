//! The layers around the routes: what holds for every request, whatever its route.
//!
//! # Order
//! From the outside in; a request passes them downwards and its answer upwards:
//! 1. [`observe`] sees every request and its outcome, also those that the layers below answer.
//! 2. [`closing_answers`] ends the connection of every answer in a drain. It is outside of whatever may answer, so that
//!    a preflight ends its connection too.
//! 3. [`paths`] makes one slash of several in a row, for whoever looks at the path from here on.
//! 4. [`cors`] answers preflights itself and marks every other answer.
//! 5. [`overload`] refuses requests while the process has too much in hand, at once and before they cost anything.
//!
//! What is no request (a head that is too long or malformed) passes no layer: [`refusals`] gives its answers what the
//! layers give to others.
mod closing_answers;
mod cors;
mod observe;
mod overload;
mod paths;
mod refusals;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::sync::Arc;

use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error};

use closing_answers::ClosingAnswers;
use cors::Cors;
use observe::{Observe, Observers};
use overload::Overload;

use crate::budget::Budgets;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::routes::Patterns;
use crate::server::RefusalAnswers;
use crate::service_state::ServiceState;
use crate::settings::{AllowedOrigins, Settings};
use crate::telemetry::RequestTraces;

/// What the layers do by options that a new configuration changes meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct LayerOptions {
    /// `allow_origins`.
    origins: AllowedOrigins,
    /// Who hears of every request.
    observers: Observers,
}

impl LayerOptions {
    /// What the settings ask for; `metrics`: where requests are counted, `traces`: who traces them.
    pub(crate) fn new(settings: &Settings, metrics: &Metrics, traces: Option<RequestTraces>) -> Self {
        Self {
            origins: settings.allow_origins.clone(),
            observers: Observers::new(settings, metrics, traces),
        }
    }
}

/// The layers of a process, made once; each HTTP worker puts them around its routes.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    options: Live<LayerOptions>,
    closing_answers: ClosingAnswers,
    overload: Overload,
}

impl Layers {
    /// The layers that the options ask for; `path_prefix`: `server.path_prefix`. `state` tells when the drain begins, `budgets`
    /// when there is too much in hand.
    pub(crate) fn new(
        options: Live<LayerOptions>,
        path_prefix: &str,
        state: Arc<ServiceState>,
        budgets: &Budgets,
    ) -> Self {
        Self {
            options,
            closing_answers: ClosingAnswers::new(state),
            overload: Overload::new(budgets, path_prefix),
        }
    }

    /// What answers to what is no request.
    pub(crate) fn refusals(&self) -> RefusalAnswers {
        let options = self.options.clone();
        RefusalAnswers::new(move |refused| {
            let options = options.newest();
            refusals::answer(refused, &options.origins, &options.observers)
        })
    }

    /// Puts the layers around an App whose routes have these patterns, in their order.
    pub(crate) fn around<T>(
        &self,
        routes: App<T>,
        patterns: Patterns,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse,
            Error = Error,
            InitError = (),
        > + use<T>,
    >
    where
        T: ServiceFactory<
                ServiceRequest,
                Config = (),
                Response = ServiceResponse,
                Error = Error,
                InitError = (),
            > + 'static,
    {
        let Self {
            options,
            closing_answers,
            overload,
        } = self.clone();
        let observe = Rc::new(Observe::new(options.reader(), patterns));
        let (closing_answers, cors) = (Rc::new(closing_answers), Rc::new(Cors::new(options.reader())));
        // The last one wrapped is the outermost.
        routes
            .wrap_fn(move |request, routes| overload.apply(request, routes))
            .wrap_fn(move |request, routes| cors.apply(request, routes))
            .wrap_fn(move |request, routes| closing_answers.apply(paths::normalised(request), routes))
            // In a box, because an open stream keeps the room that its request's future took.
            .wrap_fn(move |request, routes| Box::pin(observe.apply(request, routes)))
    }
}
