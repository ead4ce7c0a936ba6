//! How a log line looks. What is written while something is traced says which trace and which span it belongs to.
use std::fmt::{Display, Write};

use actors::trace;
use log::kv::{Error, Key, Value, VisitSource};
use log::{Level, Record};

const RESET: &str = "\x1b[0m";

/// Writes a line for people: `2026-11-21T19:14:06.123456Z INFO  edge_proxy: message field=value`.
pub(super) fn generic(line: &mut String, timestamp: impl Display, record: &Record<'_>, colours: bool) {
    let (start, end) = if colours {
        (colour(record.level()), RESET)
    } else {
        ("", "")
    };
    let _ = write!(
        line,
        "{timestamp} {start}{:<7}{end} {}: ",
        level_name(record.level()).to_uppercase(),
        record.target()
    );
    let _ = write!(OnOneLine(line), "{}", record.args());
    // Neither writing into a String nor this visitor fails.
    let _ = record.key_values().visit(&mut GenericFields(line));
    if let Some((trace_id, span_id)) = trace::current_ids() {
        let _ = write!(line, " trace_id={trace_id} span_id={span_id}");
    }
    line.push('\n');
}

/// Writes one JSON object a line; the field of the configured name holds the message.
pub(super) fn json(line: &mut String, timestamp: impl Display, record: &Record<'_>, event_field_name: &str) {
    line.push('{');
    push_text_field(line, "timestamp", &timestamp.to_string());
    line.push(',');
    push_text_field(line, "level", level_name(record.level()));
    line.push(',');
    push_text_field(line, "logger", record.target());
    line.push(',');
    push_text_field(line, event_field_name, &record.args().to_string());
    let _ = record.key_values().visit(&mut JsonFields(line));
    if let Some((trace_id, span_id)) = trace::current_ids() {
        let _ = write!(line, r#","trace_id":"{trace_id}","span_id":"{span_id}""#);
    }
    line.push_str("}\n");
}

/// Gives Python's names in lower case, as the JSON lines of the official proxy have them.
fn level_name(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "info",
        Level::Debug => "debug",
        Level::Trace => "trace",
    }
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::Error => "\x1b[31m",
        Level::Warn => "\x1b[33m",
        Level::Info => "\x1b[32m",
        Level::Debug | Level::Trace => "\x1b[2m",
    }
}

/// Writes control characters as escapes: no line breaks, and a terminal obeys nothing in it.
struct OnOneLine<'a>(&'a mut String);

impl Write for OnOneLine<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for character in text.chars() {
            if is_breaking(character) {
                self.0.extend(character.escape_default());
            } else {
                self.0.push(character);
            }
        }
        Ok(())
    }
}

fn is_breaking(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

fn push_text_field(line: &mut String, name: &str, text: &str) {
    push_json_text(line, name);
    line.push(':');
    push_json_text(line, text);
}

fn push_json_text(line: &mut String, text: &str) {
    line.push_str(&serde_json::Value::from(text).to_string());
}

struct GenericFields<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for GenericFields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let text = value.to_string();
        let is_plain = !text.is_empty() && !text.contains(|c: char| c == ' ' || c == '"' || is_breaking(c));
        let quoted = if is_plain { text } else { format!("{text:?}") };
        write!(self.0, " {key}={quoted}").map_err(Error::from)
    }
}

struct JsonFields<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for JsonFields<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        self.0.push(',');
        push_json_text(self.0, key.as_str());
        self.0.push(':');
        if let Some(number) = value.to_u64() {
            let _ = write!(self.0, "{number}");
        } else if let Some(truth) = value.to_bool() {
            let _ = write!(self.0, "{truth}");
        } else {
            push_json_text(self.0, &value.to_string());
        }
        Ok(())
    }
}
