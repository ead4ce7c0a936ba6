//! An observer that writes down what it hears.
use std::sync::{Arc, Mutex};

use super::Observed;
use crate::metrics::MethodNumber;
use crate::routes::Patterns;

/// Clones share what they have heard.
#[derive(Debug, Clone, Default)]
pub(in crate::layers) struct Recorder {
    heard: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    pub(super) fn hear(&self, observed: Observed<'_>, patterns: Option<&Patterns>) {
        let route = patterns.and_then(|patterns| observed.asked.pattern(patterns));
        let line = format!(
            "{} {} {} {:?}",
            observed.method.map_or("-", MethodNumber::name),
            route.unwrap_or("-"),
            observed.status.as_u16(),
            observed.body.bytes()
        );
        self.heard.lock().unwrap().push(line);
    }

    /// What it has heard since this was called last.
    pub(in crate::layers) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}
