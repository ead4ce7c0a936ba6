//! Reads `environment_updated` events out of a `text/event-stream`, whatever comes, in bounded memory.
//!
//! Source: <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>.
use std::collections::HashMap;

use engine::UpdatedAt;
use serde_json::value::RawValue;

/// Longest line, and longest data of one event, that is kept. The events that matter take 50 bytes.
const MOST_BYTES: usize = 4 * 1024;

/// Fed with the body as it arrives, however it is cut.
#[derive(Debug, Default)]
pub(super) struct EventParser {
    line: Vec<u8>,
    /// The line in hand is longer than what is kept: it is skipped.
    is_overlong: bool,
    /// The last byte was a CR, so a LF that follows ends no other line.
    after_cr: bool,
    is_update: bool,
    data: Vec<u8>,
    has_data: bool,
}

/// An `environment_updated` event; the time is `None` where its data could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Announcement(pub(super) Option<UpdatedAt>);

impl EventParser {
    /// Takes the next part of the body; answers the newest announcement that it completes, which overtakes the others.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<Announcement> {
        let mut newest = None;
        for &byte in bytes {
            let ends_crlf = self.after_cr && byte == b'\n';
            self.after_cr = byte == b'\r';
            if ends_crlf {
                continue;
            }
            match byte {
                b'\r' | b'\n' => newest = self.end_line().or(newest),
                _ if self.line.len() < MOST_BYTES => self.line.push(byte),
                _ => self.is_overlong = true,
            }
        }
        newest
    }

    /// How many bytes it keeps room for.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn kept(&self) -> usize {
        self.line.capacity() + self.data.capacity()
    }

    fn end_line(&mut self) -> Option<Announcement> {
        let line = std::mem::take(&mut self.line);
        let announcement = if std::mem::take(&mut self.is_overlong) {
            None
        } else if line.is_empty() {
            self.end_event()
        } else {
            self.read_field(&line);
            None
        };
        // The allocation is kept for the next line.
        self.line = line;
        self.line.clear();
        announcement
    }

    fn read_field(&mut self, line: &[u8]) {
        let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"event" => self.is_update = value == b"environment_updated",
            b"data" => {
                self.has_data = true;
                if self.data.len() + value.len() < MOST_BYTES {
                    self.data.extend_from_slice(value);
                    self.data.push(b'\n');
                }
            }
            _ => {}
        }
    }

    fn end_event(&mut self) -> Option<Announcement> {
        let is_complete = std::mem::take(&mut self.is_update) & std::mem::take(&mut self.has_data);
        let announcement = is_complete.then(|| Announcement(read_updated_at(&self.data)));
        self.data.clear();
        announcement
    }
}

/// `{"updated_at": 1735229888.76}`: epoch seconds.
fn read_updated_at(data: &[u8]) -> Option<UpdatedAt> {
    let data: HashMap<String, &RawValue> = serde_json::from_slice(data).ok()?;
    // serde_json's own numbers may be a double beside the right one, and a quarter of a microsecond is lost already.
    let seconds: f64 = data.get("updated_at")?.get().parse().ok()?;
    let micros = (seconds * 1e6).round();
    // Up to here a float holds every whole number of microseconds; it is the year 2255.
    (0.0..9e15)
        .contains(&micros)
        .then(|| UpdatedAt::from_micros(micros as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "event: environment_updated\ndata: {\"updated_at\": 1735229888.76}\n\n";

    fn announced() -> Option<Announcement> {
        Some(Announcement(Some(UpdatedAt::from_micros(1_735_229_888_760_000))))
    }

    #[test]
    fn reads_an_event_however_it_is_cut_and_ended() {
        for end in ["\n", "\r\n", "\r"] {
            let text = EVENT.replace('\n', end);
            for at in 0..text.len() {
                let (first, second) = text.as_bytes().split_at(at);
                let mut parser = EventParser::default();
                let read = parser.feed(first).or(parser.feed(second));
                assert_eq!(read, announced(), "{end:?} cut at {at}");
            }
        }
    }

    #[test]
    fn reads_every_microsecond_that_a_proxy_tells() {
        const YEAR_2106: i64 = 1 << 32;
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..10_000 {
            let told = UpdatedAt::from_micros(rng.i64(0..YEAR_2106 * 1_000_000));
            let event = format!("event: environment_updated\ndata: {{\"updated_at\": {told}}}\n\n");
            let read = EventParser::default().feed(event.as_bytes());
            assert_eq!(read, Some(Announcement(Some(told))), "{event}");
        }
    }

    #[test]
    fn reads_what_is_allowed_and_skips_the_rest() {
        let cases = [
            (
                "no space",
                "event:environment_updated\ndata:{\"updated_at\":1735229888.76}\n\n".to_owned(),
            ),
            (
                "other fields",
                format!("id: 7\nretry: 3000\n: comment\nunknown\n{EVENT}"),
            ),
            ("byte order mark", format!("\u{FEFF}{EVENT}")),
            (
                "an event of another name",
                format!("event: other\ndata: 1\n\n{EVENT}"),
            ),
            (
                "data after name",
                "data: {\ndata: \"updated_at\": 1735229888.76}\nevent: environment_updated\n\n".into(),
            ),
            (
                "an overlong line",
                format!("{}\n{EVENT}", "x".repeat(MOST_BYTES * 3)),
            ),
            (
                "the newest of two",
                format!("{}{EVENT}", EVENT.replace("888", "111")),
            ),
        ];
        for (name, text) in cases {
            assert_eq!(
                EventParser::default().feed(text.as_bytes()),
                announced(),
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_no_update_announces_nothing() {
        for text in [
            "",
            "\n\n\n",
            ": heartbeat\n\n",
            "data: {\"updated_at\": 1.5}\n\n",
            "event: environment_updated\n\n",
        ] {
            assert_eq!(EventParser::default().feed(text.as_bytes()), None, "{text:?}");
        }
        // The name of a finished event does not carry over.
        assert_eq!(
            EventParser::default().feed(b"event: environment_updated\n\ndata: 1\n\n"),
            None
        );
    }

    #[test]
    fn an_update_whose_time_cannot_be_read_is_one_all_the_same() {
        for data in [
            "",
            "x",
            "{}",
            "[1]",
            "{\"updated_at\": \"now\"}",
            "{\"updated_at\": 1e300}",
            "{\"updated_at\": -1}",
        ] {
            let text = format!("event: environment_updated\ndata: {data}\n\n");
            assert_eq!(
                EventParser::default().feed(text.as_bytes()),
                Some(Announcement(None)),
                "{data:?}"
            );
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut parser = EventParser::default();
        for _ in 0..100 {
            parser.feed(&[b'x'; MOST_BYTES]);
        }
        parser.feed(b"\n");
        for _ in 0..10_000 {
            parser.feed(b"data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n");
        }
        assert!(parser.line.capacity() <= 2 * MOST_BYTES && parser.data.capacity() <= 2 * MOST_BYTES);
    }
}
