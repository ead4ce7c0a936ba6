//! What holds of whatever context a caller sends.
use super::caller::{Caller, Propagators, TraceContext};

/// Fields of a request, one a line: `traceparent: …`, `tracestate: …`, `baggage: …`.
pub(crate) fn trace_context(data: &[u8]) {
    let values = |name: &str| -> Vec<&[u8]> {
        let lines = data.split(|byte| *byte == b'\n');
        let values = lines.filter_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b":"));
        values.collect()
    };
    let [parents, states, baggage] = ["traceparent", "tracestate", "baggage"].map(values);
    let caller = read(&parents, &states, &baggage);
    let is_alone = parents.len() == 1;
    for parent in parents {
        let read = is_alone && caller.parent.is_some();
        // Of other versions more may be there.
        if parent.trim_ascii().starts_with(b"00") || !read {
            let expected = is_alone && is_parent(parent.trim_ascii());
            assert_eq!(read, expected, "{}", String::from_utf8_lossy(parent));
        }
    }

    let context = |caller: &Caller| {
        let parent = caller.parent?;
        Some(TraceContext {
            trace_id: parent.trace_id,
            span_id: parent.span_id,
            is_sampled: parent.is_sampled,
            is_passed_on: true,
            carried: caller.carried.clone(),
        })
    };
    let Some(sent) = context(&caller) else {
        let state = caller
            .carried
            .as_deref()
            .and_then(|carried| carried.state.as_ref());
        assert!(state.is_none(), "a state belongs to a parent");
        return;
    };
    let fields: Vec<_> = sent.fields().collect();
    for (name, value) in &fields {
        let is_visible = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
        assert!(value.bytes().all(is_visible), "{name}: {value:?}");
        assert!(
            !value.is_empty() && value.len() <= 8192,
            "{name}: {}",
            value.len()
        );
    }
    // Whoever gets it reads what was read here.
    let of = |name: &str| -> Vec<&[u8]> {
        let found = fields.iter().filter(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_bytes()).collect()
    };
    let read_again = read(&of("traceparent"), &of("tracestate"), &of("baggage"));
    assert_eq!(read_again, caller);
}

fn read(parents: &[&[u8]], states: &[&[u8]], baggage: &[&[u8]]) -> Caller {
    Caller::read(
        Propagators::default(),
        parents.iter().copied(),
        states.iter().copied(),
        baggage.iter().copied(),
    )
}

/// Whether a text is a `traceparent` of this version's length, of whatever version: by the places of its parts, where the reader
/// goes by its hyphens.
fn is_parent(text: &[u8]) -> bool {
    let is_hex = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == b'0');
    let Ok([high, low, b'-', ids @ .., b'-', first, second]) = <&[u8; 55]>::try_from(text) else {
        return false;
    };
    let Some((trace, [b'-', span @ ..])) = ids.split_first_chunk::<32>() else {
        return false;
    };
    let are_hex = is_hex(&[*high, *low, *first, *second]) && is_hex(trace) && is_hex(span);
    are_hex && [*high, *low] != *b"ff" && !is_zero(trace) && !is_zero(span)
}
