//! What holds of whatever upstream sends, beside documents, and of whatever is on the disk: fuzz targets, see `engine::fuzz`.
use crate::{store, trace, upstream, upstream_stream};

/// A `Link` header, and the page that it stands on.
pub fn link(data: &[u8]) {
    upstream::fuzz::link(data);
}

/// The head of an answer.
pub fn upstream_head(data: &[u8]) {
    upstream::fuzz::head(data);
}

/// An event stream.
pub fn event_stream(data: &[u8]) {
    upstream_stream::fuzz::event_stream(data);
}

/// A stored document.
pub fn stored_file(data: &[u8]) {
    store::fuzz(data);
}

/// The fields by which a caller says of which trace its request is a part.
pub fn trace_context(data: &[u8]) {
    trace::fuzz::trace_context(data);
}

#[cfg(test)]
mod tests {
    use test_support::mutation::run;

    #[test]
    fn links() {
        run("link", super::link);
    }

    #[test]
    fn heads_of_answers() {
        run("upstream_head", super::upstream_head);
    }

    #[test]
    fn stored_files() {
        run("stored_file", super::stored_file);
    }

    #[test]
    fn callers_of_traces() {
        run("trace_context", super::trace_context);
    }

    #[test]
    fn event_streams() {
        run("event_stream", super::event_stream);
    }
}
