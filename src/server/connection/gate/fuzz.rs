//! What holds of whatever comes to the gate.
use std::rc::Rc;
use std::time::Duration;

use super::super::worker::{ConnectionTimes, PlannedEnd, Worker};
use super::super::{ConnectionState, RefusalAnswers};
use super::chunks::Chunks;
use super::rewrite::rewritten;
use super::{Framing, Gate, MOST_FIELDS, Step, look};
use crate::budget::ByteBudget;
use crate::server::open_files::Shares;
use crate::server::places::Places;

/// Requests as they come. The gate goes on with each step, gives what it was given, save for heads that it writes anew, and reads
/// it all alike however it is cut.
pub(in crate::server) fn requests(data: &[u8]) {
    ends_alike(data);
    is_rewritten_once(data);
    has_chunks_alike(data);
    let whole = given(data, data.len().max(1));
    for size in [1, 2, 7, 64] {
        let by_parts = given(data, size);
        if let (Some(whole), Some(by_parts)) = (&whole, by_parts) {
            assert!(*whole == by_parts, "others are given by {size} bytes");
        }
    }
}

/// Where a head ends is where a search for its blank line says.
fn ends_alike(data: &[u8]) {
    let ends = (0..data.len()).find_map(|at| match data.split_at(at).1 {
        [b'\n', b'\n', ..] => Some(at + 2),
        [b'\n', b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    });
    let looked = look(data);
    // No line of a head that can be read begins with a control character, and such a line may hide what is behind it.
    assert_eq!(looked.end, ends, "another end");
    let offers = data.windows(2).any(|pair| pair.eq_ignore_ascii_case(b"pg"));
    assert!(
        looked.may_offer || !offers || looked.end.is_some(),
        "an offer is overlooked"
    );
}

/// What was written anew can be read as before, and is not written anew again.
fn is_rewritten_once(data: &[u8]) {
    let Some(written) = rewritten(data) else { return };
    assert_eq!(rewritten(&written), None, "written anew twice");
    let method = |head: &[u8]| {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        let is_whole = request.parse(head).is_ok_and(|read| read.is_complete());
        is_whole.then(|| (request.method.map(str::to_owned), request.version))
    };
    if let Some(before) = method(data) {
        assert_eq!(method(&written), Some(before), "another request");
    }
}

/// A chunked body ends where it does, or is broken, however it is cut.
fn has_chunks_alike(data: &[u8]) {
    let read = |size: usize| {
        let (mut chunks, mut taken) = (Chunks::Size, 0);
        for part in data.chunks(size) {
            taken += chunks.advance(part).ok()?;
        }
        Some((chunks, taken))
    };
    let whole = read(data.len().max(1));
    for size in [1, 3] {
        assert_eq!(read(size), whole, "by {size} bytes");
    }
}

/// What the dispatcher is given where the bytes come in parts of this size; `None`: something was refused, and what is given then
/// depends on how much had come.
fn given(data: &[u8], size: usize) -> Option<Vec<u8>> {
    let state = connection();
    let (mut gate, mut held, mut given) = (Gate::new(), Vec::new(), Vec::new());
    for part in data.chunks(size) {
        held.extend_from_slice(part);
        while !held.is_empty() {
            let before = given.len();
            match gate.step(&held, &state) {
                Step::Pass(bytes) => {
                    assert!(
                        (1..=held.len()).contains(&bytes),
                        "{bytes} of {} pass",
                        held.len()
                    );
                    given.extend(held.drain(..bytes));
                }
                Step::Become(bytes, head) => {
                    assert!(
                        (1..=held.len()).contains(&bytes),
                        "{bytes} of {} pass",
                        held.len()
                    );
                    held.drain(..bytes);
                    given.extend(head);
                }
                Step::Skip(bytes) => {
                    assert!(
                        (1..=held.len()).contains(&bytes),
                        "{bytes} of {} pass",
                        held.len()
                    );
                    held.drain(..bytes);
                }
                Step::Wait => break,
                Step::Refuse(_) | Step::Broken => return None,
            }
            if state.given_head().is_pending() {
                begin(&state, given.split_at(before).1)?;
            }
        }
    }
    Some(given)
}

/// Makes a request of a head, as the dispatcher does; `None`: it is none.
fn begin(state: &ConnectionState, head: &[u8]) -> Option<()> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    if !request.parse(head).ok()?.is_complete() {
        return None;
    }
    let field = |name: &str| {
        let mut found = request
            .headers
            .iter()
            .filter(|field| field.name.eq_ignore_ascii_case(name));
        let value = found.next().map(|field| field.value.trim_ascii());
        found.next().is_none().then_some(value)
    };
    let framing = match (field("transfer-encoding")?, field("content-length")?) {
        (None, None) => None,
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Some(Framing::Chunked),
        (None, Some(length)) if length.iter().all(u8::is_ascii_digit) => {
            Some(Framing::Length(std::str::from_utf8(length).ok()?.parse().ok()?))
        }
        _ => return None,
    };
    state.given_head().begin(|| framing);
    Some(())
}

fn connection() -> Rc<ConnectionState> {
    let times = ConnectionTimes {
        request_head: Duration::from_secs(5),
        keep_alive: Duration::from_secs(75),
        read_off: Duration::ZERO,
        planned_end: PlannedEnd::default(),
    };
    let places = Places::new(Shares::of(64, 1, 1));
    let refusals = RefusalAnswers::new(|_| Vec::new());
    let worker = Rc::new(Worker::new(times, 1, &ByteBudget::new(0), &places, &refusals));
    ConnectionState::new(&worker, places.take())
}
