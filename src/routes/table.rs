//! Where resources are registered.
use actix_web::dev::HttpServiceFactory;
use actix_web::web::ServiceConfig;

use super::patterns::Patterns;

/// What resources can be registered in.
pub(crate) trait Register {
    /// Adds what answers at a path.
    fn service(&mut self, service: impl HttpServiceFactory + 'static);

    /// Hears of the pattern of a resource, which has no trailing slash.
    fn note(&mut self, pattern: &str);
}

/// A table whose patterns nobody asks for.
impl Register for ServiceConfig {
    fn service(&mut self, service: impl HttpServiceFactory + 'static) {
        ServiceConfig::service(self, service);
    }

    fn note(&mut self, _pattern: &str) {}
}

/// The table of the public port.
pub(super) struct Table<'a> {
    /// Where services are added.
    pub(super) config: &'a mut ServiceConfig,
    /// The patterns of those that were added.
    pub(super) patterns: Patterns,
}

impl<'a> Table<'a> {
    /// With nothing in it.
    pub(super) fn new(config: &'a mut ServiceConfig) -> Self {
        Self {
            config,
            patterns: Patterns::default(),
        }
    }
}

impl Register for Table<'_> {
    fn service(&mut self, service: impl HttpServiceFactory + 'static) {
        self.config.service(service);
    }

    fn note(&mut self, pattern: &str) {
        self.patterns.add(pattern);
    }
}
