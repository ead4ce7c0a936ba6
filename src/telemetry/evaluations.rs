//! Evaluations as spans, by the names of the official Edge Proxy: `evaluate.flags` and `evaluate.identity`.
use actors::trace::{self, Child, Outcome, SpanKind};

/// Whether evaluations are spans. It is a type and not a value, so that where they are none a route has nothing to ask.
pub(crate) trait Evaluations: Copy + 'static {
    /// An evaluation that has begun.
    type Begun;

    /// Begins one.
    fn begin() -> Self::Begun;

    /// Ends one without an identity; `flags`: how many flags it gave, `None` for one that was asked for by its name.
    fn end_flags(begun: Self::Begun, flags: impl FnOnce() -> Option<usize>);

    /// Ends one of an identity.
    fn end_identity(begun: Self::Begun);
}

/// They are none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Untraced;

impl Evaluations for Untraced {
    type Begun = ();

    fn begin() -> Self::Begun {}

    fn end_flags((): Self::Begun, _: impl FnOnce() -> Option<usize>) {}

    fn end_identity((): Self::Begun) {}
}

/// They are spans, where the request is recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traced;

impl Evaluations for Traced {
    type Begun = Option<Child>;

    fn begin() -> Self::Begun {
        trace::begin()
    }

    fn end_flags(begun: Self::Begun, flags: impl FnOnce() -> Option<usize>) {
        if let Some(begun) = begun {
            let flags = flags();
            let attributes = vec![
                ("flagsmith.single_feature", flags.is_none().into()),
                ("flagsmith.feature_count", flags.unwrap_or(1).into()),
            ];
            begun.end(SpanKind::Internal, Outcome::new("evaluate.flags", attributes));
        }
    }

    fn end_identity(begun: Self::Begun) {
        if let Some(begun) = begun {
            begun.end(SpanKind::Internal, Outcome::new("evaluate.identity", Vec::new()));
        }
    }
}
