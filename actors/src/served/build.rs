use std::sync::Arc;

use awc::http::header::HeaderValue;
use engine::{Document, Environment, KeyKind, UpdatedAt};

use super::{ReadyBody, ServedEnvironment};

impl ServedEnvironment {
    /// Makes what is answered from a document. Takes its time (hundreds of ms for a large one): not for an
    /// actor's or a request's thread. `previous` is what it replaces.
    pub(crate) fn new(
        document: &Document,
        environment: Environment,
        updated_at: UpdatedAt,
        previous: Option<&Self>,
    ) -> Self {
        let last_modified = header(updated_at.to_http_date());
        let server_flags = Arc::new(ReadyBody::with_gzip(environment.flags(KeyKind::Server)));
        // The same, unless some features are for server-side keys only.
        let client_flags = environment.flags(KeyKind::Client);
        let client_flags = if client_flags == server_flags.plain {
            Arc::clone(&server_flags)
        } else {
            Arc::new(ReadyBody::with_gzip(client_flags))
        };
        Self {
            client_flags,
            server_flags,
            client_flag_count: environment.flag_count(KeyKind::Client),
            server_flag_count: environment.flag_count(KeyKind::Server),
            document: Arc::new(ReadyBody::new(document.to_json(updated_at))),
            environment: Arc::new(environment),
            updated_at,
            updated_at_header: header(updated_at.to_string()),
            is_date_exact: previous.is_none_or(|previous| previous.last_modified != last_modified),
            last_modified,
        }
    }

    /// The same content under another served `updated_at`.
    pub(crate) fn restamped(&self, document: &Document, updated_at: UpdatedAt) -> Self {
        let last_modified = header(updated_at.to_http_date());
        Self {
            client_flags: Arc::clone(&self.client_flags),
            server_flags: Arc::clone(&self.server_flags),
            client_flag_count: self.client_flag_count,
            server_flag_count: self.server_flag_count,
            document: Arc::new(ReadyBody::new(document.to_json(updated_at))),
            environment: Arc::clone(&self.environment),
            updated_at,
            updated_at_header: header(updated_at.to_string()),
            is_date_exact: self.is_date_exact || self.last_modified != last_modified,
            last_modified,
        }
    }
}

fn header(value: String) -> HeaderValue {
    // Digits, points and dates are always a header value.
    HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static(""))
}
