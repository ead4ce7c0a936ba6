//! An upstream that answers as Flagsmith does, of one environment.
use serde_json::Value;

use super::{Answer, ReceivedRequest, ScriptedUpstream};
use crate::wait::in_time;

const ENVIRONMENT_DOCUMENT: &str = "/api/v1/environment-document/";

impl ScriptedUpstream {
    /// Starts with this environment document and an event stream of its changes; other paths are 404.
    pub fn serving(document: &Value) -> Self {
        Self::start(flagsmith(document))
    }

    /// From now on this document is served, as by [`ScriptedUpstream::serving`].
    pub fn serve(&self, document: &Value) {
        self.script(flagsmith(document));
    }

    /// The requests for the document so far.
    pub fn fetches(&self) -> Vec<ReceivedRequest> {
        let mut requests = self.requests();
        requests.retain(|request| request.target.starts_with(ENVIRONMENT_DOCUMENT));
        requests
    }

    /// Resolves to the newest request for the document, when there have been so many in all.
    pub async fn wait_for_fetches(&self, fetches: usize) -> ReceivedRequest {
        let mut count = self.count();
        in_time(count.wait_for(|_| self.fetches().len() >= fetches))
            .await
            .expect("upstream");
        self.fetches().pop().expect("a fetch")
    }
}

fn flagsmith(document: &Value) -> impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static {
    let document = document.to_string();
    move |request| match request.target.as_str() {
        target if target.starts_with(ENVIRONMENT_DOCUMENT) => {
            Answer::ok(document.clone()).header("Content-Type", "application/json")
        }
        target if target.starts_with("/sse/") => Answer::event_stream(),
        _ => Answer::status(404),
    }
}
