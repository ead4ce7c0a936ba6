//! Text → [`Query`].
mod cursor;
mod filter;

use super::query::{PathError, Query, Segment, Selector};
use crate::condition::regex::Room;
use cursor::Cursor;

/// The largest index: the largest integer that a double holds exactly (RFC 9535, 2.1).
const MAX_INDEX: i64 = (1 << 53) - 1;

impl Query {
    /// Reads a whole query that starts at the root, `$`.
    pub(in crate::condition) fn parse(text: &str, room: &mut Room) -> Result<Self, PathError> {
        let mut cursor = Cursor::new(text, room);
        cursor.expect("$")?;
        let query = Self::parse_segments(&mut cursor)?;
        match (cursor.rest().is_empty(), cursor.has_raised()) {
            (false, _) => Err(PathError::Syntax),
            (true, true) => Err(PathError::Raised),
            (true, false) => Ok(query),
        }
    }

    /// Reads segments as long as there are any.
    fn parse_segments(cursor: &mut Cursor<'_, '_>) -> Result<Self, PathError> {
        let mut segments = Vec::new();
        loop {
            let end = cursor.place();
            cursor.skip_blanks();
            match Segment::parse(cursor)? {
                Some(segment) => segments.push(segment),
                None => {
                    // Blanks after the last segment belong to what follows. They are an error at the end of a query.
                    cursor.return_to(end);
                    return Ok(Self { segments });
                }
            }
        }
    }
}

impl Segment {
    fn parse(cursor: &mut Cursor<'_, '_>) -> Result<Option<Self>, PathError> {
        let descends = cursor.take("..");
        let dotted = descends || cursor.take(".");
        if (descends || !dotted) && cursor.take("[") {
            let selectors = cursor.nested(bracketed)?;
            return Ok(Some(Self { descends, selectors }));
        }
        if !dotted {
            return Ok(None);
        }
        let selector = if cursor.take("*") {
            Selector::Wildcard
        } else {
            Selector::Name(cursor.name().ok_or(PathError::Syntax)?)
        };
        Ok(Some(Self {
            descends,
            selectors: vec![selector],
        }))
    }
}

fn bracketed(cursor: &mut Cursor<'_, '_>) -> Result<Vec<Selector>, PathError> {
    let mut selectors = Vec::new();
    loop {
        cursor.skip_blanks();
        selectors.push(selector(cursor)?);
        cursor.skip_blanks();
        if cursor.take("]") {
            return Ok(selectors);
        }
        cursor.expect(",")?;
    }
}

fn selector(cursor: &mut Cursor<'_, '_>) -> Result<Selector, PathError> {
    match cursor.peek().ok_or(PathError::Syntax)? {
        quote @ ('\'' | '"') => {
            cursor.next();
            cursor.quoted(quote).map(Selector::Name)
        }
        '*' => {
            cursor.next();
            Ok(Selector::Wildcard)
        }
        '?' => {
            cursor.next();
            cursor.skip_blanks();
            filter::filter(cursor).map(Selector::Filter)
        }
        _ => index_or_slice(cursor),
    }
}

fn index_or_slice(cursor: &mut Cursor<'_, '_>) -> Result<Selector, PathError> {
    let start = index(cursor)?;
    cursor.skip_blanks();
    if !cursor.take(":") {
        return start.map(Selector::Index).ok_or(PathError::Syntax);
    }
    cursor.skip_blanks();
    let stop = index(cursor)?;
    cursor.skip_blanks();
    let mut step = None;
    if cursor.take(":") {
        cursor.skip_blanks();
        step = index(cursor)?;
    }
    Ok(Selector::Slice {
        start,
        stop,
        step: step.unwrap_or(1),
    })
}

fn index(cursor: &mut Cursor<'_, '_>) -> Result<Option<i64>, PathError> {
    let start = cursor.place();
    cursor.take("-");
    let digits = cursor.take_while(|character| character.is_ascii_digit());
    let text = cursor.since(start);
    if text.is_empty() {
        return Ok(None);
    }
    if digits.is_empty() || (digits.starts_with('0') && text != "0") {
        return Err(PathError::Syntax);
    }
    match text.parse() {
        Ok(index) if (-MAX_INDEX..=MAX_INDEX).contains(&index) => Ok(Some(index)),
        _ => {
            cursor.raise();
            Ok(Some(0))
        }
    }
}
