//! What holds of whatever an event stream says.
use super::parser::EventParser;

/// An event stream. What it announces last does not depend on how its bytes come, and nothing is kept beyond a bound.
pub(crate) fn event_stream(data: &[u8]) {
    let mut whole = EventParser::default();
    let announced = whole.feed(data);
    for size in [1, 2, 7, 100] {
        let mut parser = EventParser::default();
        let by_parts = data
            .chunks(size)
            .fold(None, |newest, part| parser.feed(part).or(newest));
        assert_eq!(by_parts, announced, "another announcement by {size} bytes");
        assert!(parser.kept() <= 16 * 1024, "{} bytes are kept", parser.kept());
    }
}
