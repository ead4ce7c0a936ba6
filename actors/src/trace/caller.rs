//! The context that comes with a request and goes with what is sent on: W3C Trace Context (`traceparent`, `tracestate`;
//! <https://www.w3.org/TR/trace-context/>) and W3C Baggage (<https://www.w3.org/TR/baggage/>).
use std::fmt;
use std::sync::Arc;

use super::ids::{SpanId, TraceId, value};

/// What a `tracestate` may have of members (Trace Context, 3.3.1.1).
const MOST_MEMBERS: usize = 32;

/// What a `tracestate` may have of bytes: at least 512 must be sent on (Trace Context, 3.3.1.5).
const MOST_STATE: usize = 1024;

/// What baggage may have of bytes (Baggage, 3.3.2).
const MOST_BAGGAGE: usize = 8192;

/// The flag of a trace that is recorded (Trace Context, 3.2.2.5.1).
const SAMPLED: u8 = 1;

/// What of a caller's context is taken, and what is passed on (`OTEL_PROPAGATORS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Propagators {
    /// W3C Trace Context: `traceparent` and `tracestate`.
    pub trace_context: bool,
    /// W3C Baggage: `baggage`.
    pub baggage: bool,
}

impl Propagators {
    /// Nothing: each request is a trace of its own, of which nobody is told.
    pub const NONE: Self = Self {
        trace_context: false,
        baggage: false,
    };
}

impl Default for Propagators {
    /// Both.
    fn default() -> Self {
        Self {
            trace_context: true,
            baggage: true,
        }
    }
}

/// What a request says of the trace that it is a part of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// `None`: it is a part of none, or says so in a way that cannot be read, which counts as none.
    pub(super) parent: Option<Parent>,
    pub(super) carried: Option<Arc<Carried>>,
}

/// The caller's span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) is_sampled: bool,
}

/// What callers send along and nobody here reads. Its debug format shows none of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Carried {
    /// `tracestate`. Shared by itself: spans wait with it for a collector, which is told nothing of baggage.
    pub(super) state: Option<State>,
    /// `baggage`; empty: none.
    baggage: Box<str>,
}

/// A `tracestate`. Its debug format does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct State(Arc<str>);

impl State {
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl Caller {
    /// Reads the fields of these names, each of its values in their order. Whatever is malformed counts as missing, and so does what
    /// is not to be taken.
    pub fn read<'a>(
        propagators: Propagators,
        traceparent: impl Iterator<Item = &'a [u8]>,
        tracestate: impl Iterator<Item = &'a [u8]>,
        baggage: impl Iterator<Item = &'a [u8]>,
    ) -> Self {
        let mut traceparent = traceparent.filter(|_| propagators.trace_context);
        let baggage = baggage.filter(|_| propagators.baggage);
        let parent = traceparent.next().and_then(parent);
        // Two of them contradict each other.
        let parent = parent.filter(|_| traceparent.next().is_none());
        let state = parent.and_then(|_| joined(tracestate, MOST_STATE));
        let state = state.filter(|state| is_state(state));
        let baggage = joined(baggage, MOST_BAGGAGE);
        let carried = (state.is_some() || baggage.is_some()).then(|| {
            Arc::new(Carried {
                state: state.map(|state| State(state.into())),
                baggage: baggage.unwrap_or_default(),
            })
        });
        Self { parent, carried }
    }
}

/// A span as others are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// Its trace.
    pub trace_id: TraceId,
    /// Itself.
    pub span_id: SpanId,
    /// Whether it is recorded.
    pub is_sampled: bool,
    /// Whether others are told of it.
    pub(super) is_passed_on: bool,
    pub(super) carried: Option<Arc<Carried>>,
}

impl TraceContext {
    pub(super) fn state(&self) -> Option<State> {
        self.carried.as_ref()?.state.clone()
    }

    /// The fields that say so to whoever is asked something.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        let Self {
            trace_id,
            span_id,
            is_sampled,
            is_passed_on,
            carried,
        } = self;
        let flags = if *is_sampled { SAMPLED } else { 0 };
        let parent = is_passed_on.then(|| format!("00-{trace_id}-{span_id}-{flags:02x}"));
        let carried = carried.as_deref();
        let state = carried.and_then(|carried| carried.state.as_ref());
        let state = state.map(|state| state.text().to_owned());
        let baggage = carried.map(|carried| &*carried.baggage);
        let baggage = baggage.filter(|text| !text.is_empty()).map(str::to_owned);
        [
            ("traceparent", parent),
            ("tracestate", state),
            ("baggage", baggage),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// Reads a `traceparent` of this version, or the beginning of one of a later version (Trace Context, 3.2.3 and 4.3).
fn parent(text: &[u8]) -> Option<Parent> {
    let text = text.trim_ascii();
    let (version, rest) = (text.get(..2)?, text.get(2..)?);
    let [high, low] = version.try_into().ok()?;
    let version = value(high)? << 4 | value(low)?;
    let (fields, after) = (rest.get(..53)?, rest.get(53..)?);
    let is_whole = match version {
        0 => after.is_empty(),
        0xff => false,
        _ => matches!(after.first(), None | Some(b'-')),
    };
    let mut parts = fields.strip_prefix(b"-")?.split(|byte| *byte == b'-');
    let (trace_id, span_id) = (TraceId::parse(parts.next()?)?, SpanId::parse(parts.next()?)?);
    let [high, low] = parts.next()?.try_into().ok()?;
    let flags = value(high)? << 4 | value(low)?;
    let parent = Parent {
        trace_id,
        span_id,
        is_sampled: flags & SAMPLED != 0,
    };
    (is_whole && parts.next().is_none()).then_some(parent)
}

/// The values of a field as one list; `None` where there is none, or more than may be.
fn joined<'a>(values: impl Iterator<Item = &'a [u8]>, most: usize) -> Option<Box<str>> {
    let mut list = String::new();
    for value in values {
        let value = std::str::from_utf8(value.trim_ascii()).ok()?;
        let is_field = value
            .bytes()
            .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
        if !list.is_empty() && !value.is_empty() {
            list.push(',');
        }
        if !is_field || list.len() + value.len() > most {
            return None;
        }
        list.push_str(value);
    }
    (!list.is_empty()).then(|| list.into())
}

/// Whether it is a list of members as Trace Context, 3.3.1 has them; empty ones count for nothing.
fn is_state(list: &str) -> bool {
    let members = list.split(',').map(|member| member.trim_matches([' ', '\t']));
    let mut keys = Vec::new();
    for member in members.filter(|member| !member.is_empty()) {
        let Some((key, value)) = member.split_once('=') else {
            return false;
        };
        if keys.len() == MOST_MEMBERS || !is_key(key) || !is_value(value) || keys.contains(&key) {
            return false;
        }
        keys.push(key);
    }
    !keys.is_empty()
}

fn is_key(key: &str) -> bool {
    let is_allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte);
    (1..=256).contains(&key.len())
        && key.bytes().all(is_allowed)
        && key.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && key.matches('@').count() <= 1
}

fn is_value(value: &str) -> bool {
    (1..=256).contains(&value.len())
        && value
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=')
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.0.len()).finish()
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried")
            .field("state", &self.state)
            .field("baggage", &self.baggage.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn read(traceparent: &[&str], tracestate: &[&str], baggage: &[&str]) -> Caller {
        fn bytes<'a>(values: &'a [&'a str]) -> impl Iterator<Item = &'a [u8]> {
            values.iter().map(|value| value.as_bytes())
        }
        Caller::read(
            Propagators::default(),
            bytes(traceparent),
            bytes(tracestate),
            bytes(baggage),
        )
    }

    fn sent(caller: Caller) -> Vec<(&'static str, String)> {
        let parent = caller.parent.unwrap();
        let context = TraceContext {
            trace_id: parent.trace_id,
            span_id: parent.span_id,
            is_sampled: parent.is_sampled,
            is_passed_on: true,
            carried: caller.carried,
        };
        context.fields().collect()
    }

    #[test]
    fn what_came_is_sent_on() {
        let fields = sent(read(&[PARENT], &["a=1, b@c=x y", "d=2"], &["k=v;p", "l=w"]));
        let expected = [
            ("traceparent", PARENT),
            ("tracestate", "a=1, b@c=x y,d=2"),
            ("baggage", "k=v;p,l=w"),
        ];
        assert_eq!(fields, expected.map(|(name, value)| (name, value.to_owned())));
        let unsampled = PARENT.replace("-01", "-00");
        assert_eq!(sent(read(&[&unsampled], &[], &[])), [("traceparent", unsampled)]);
    }

    #[test]
    fn of_later_versions_and_flags_what_is_known_is_taken() {
        for later in [
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-and-more",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
            " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
        ] {
            assert_eq!(
                sent(read(&[later], &[], &[])),
                [("traceparent", PARENT.to_owned())],
                "{later}"
            );
        }
    }

    #[test]
    fn a_malformed_parent_counts_as_none_and_takes_its_state_along() {
        for wrong in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
            "00-0af7651916cd43dd8448eb211c8031-9c-b7ad6b716920333-01",
        ] {
            let caller = read(&[wrong], &["a=1"], &[]);
            assert_eq!(caller, Caller::default(), "{wrong}");
        }
        assert_eq!(read(&[PARENT, PARENT], &[], &[]).parent, None, "two of them");
        let alone = read(&[], &["a=1"], &["k=v"]);
        assert_eq!(alone.parent, None);
        assert_eq!(&*alone.carried.unwrap().baggage, "k=v");
    }

    #[test]
    fn a_malformed_state_is_left_out_alone() {
        let many: Vec<_> = (0..33).map(|number| format!("k{number}=1")).collect();
        for wrong in [
            "a".to_owned(),
            "A=1".to_owned(),
            "=1".to_owned(),
            "a=".to_owned(),
            "a=1=2".to_owned(),
            "a=1,a=2".to_owned(),
            "a@b@c=1".to_owned(),
            "@a=1".to_owned(),
            "a=ä".to_owned(),
            ",".to_owned(),
            many.join(","),
            format!("a={}", "x".repeat(257)),
            format!("{}=1", "x".repeat(257)),
        ] {
            let caller = read(&[PARENT], &[&wrong], &[]);
            assert!(caller.parent.is_some());
            assert_eq!(caller.carried, None, "{wrong}");
        }
        assert!(
            read(&[PARENT], &["a=1,,b=2"], &[]).carried.is_some(),
            "empty members are allowed"
        );
    }

    #[test]
    fn what_is_carried_is_bounded_and_shown_nowhere() {
        let caller = read(&[PARENT], &["a=secret"], &["k=secret"]);
        assert!(!format!("{caller:?}").contains("secret"));
        let baggage = |bytes: usize| format!("k={}", "x".repeat(bytes - 2));
        assert!(read(&[], &[], &[&baggage(MOST_BAGGAGE)]).carried.is_some());
        assert_eq!(read(&[], &[], &[&baggage(MOST_BAGGAGE + 1)]).carried, None);
        let half = baggage(MOST_BAGGAGE / 2);
        assert_eq!(read(&[], &[], &[&half, &half]).carried, None, "with its comma");
        assert!(
            read(&[], &[], &[&half, half.trim_end_matches("xx")])
                .carried
                .is_some()
        );
        assert_eq!(read(&[], &[], &["k=\u{7f}"]).carried, None);
    }
}
