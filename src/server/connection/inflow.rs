//! The inflow: what comes over the socket, through the gate, to the dispatcher.
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::ReadBuf;

use super::byte_stream::ByteStream;
use super::gate::{Gate, Step};
use super::portion;
use super::state::{ConnectionState, End};

/// The inflow of one connection.
#[derive(Debug)]
pub(super) struct Inflow {
    gate: Gate,
    /// What has come and has not passed the gate. Most of the time nothing: a request passes as it comes.
    held: BytesMut,
    /// What has passed, and the dispatcher had no room for.
    passed: Bytes,
    /// What passed last.
    last: Passed,
    /// Whether there may be more than the last read gave.
    may_have_more: bool,
    /// Whether a head has passed in this turn of the dispatcher's.
    has_new_head: bool,
}

/// What has passed the gate last.
#[derive(Debug)]
enum Passed {
    /// So many of the bytes that were read last.
    Read(usize),
    Kept(Bytes),
}

impl Inflow {
    pub(super) fn new() -> Self {
        Self {
            gate: Gate::new(),
            held: BytesMut::new(),
            passed: Bytes::new(),
            last: Passed::Read(0),
            may_have_more: false,
            has_new_head: false,
        }
    }

    /// Puts back what was read before the first head.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// Whether something has come that the dispatcher has not got.
    pub(super) fn has_rest(&self) -> bool {
        !self.held.is_empty() || !self.passed.is_empty()
    }

    /// Tells whether the dispatcher has had enough for one turn: it reads until nothing comes, and then makes requests of
    /// all of it. Once what it was given was decoded it may have more.
    pub(super) fn is_turn_over(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut impl ByteStream,
        state: &ConnectionState,
    ) -> bool {
        let has_new_head = std::mem::take(&mut self.has_new_head) && state.given_head().is_pending();
        let has_more =
            std::mem::take(&mut self.may_have_more) || (has_new_head && stream.poll_readable(cx).is_ready());
        if has_more {
            cx.waker().wake_by_ref();
        }
        has_more || has_new_head
    }

    /// Tells whether what comes next is of use while a request is in progress: another head is not.
    pub(super) fn is_of_use(&self, state: &ConnectionState) -> bool {
        state.wants_bytes() && (state.is_idle() || !self.passed.is_empty() || !self.gate.expects_head(state))
    }

    /// The head that passed last, for as long as nothing else was read on this thread.
    pub(super) fn last_head(&self, state: &ConnectionState) -> Vec<u8> {
        match &self.last {
            Passed::Read(bytes) => state
                .worker()
                .scratch()
                .get(..*bytes)
                .unwrap_or_default()
                .to_vec(),
            Passed::Kept(head) => head.to_vec(),
        }
    }

    /// Frees what is kept of messages that have passed: a request has come of the last one.
    pub(super) fn forget(&mut self) {
        if let Passed::Kept(_) = self.last {
            self.last = Passed::Read(0);
            if self.held.is_empty() {
                self.held = BytesMut::new();
            }
        }
    }

    /// What has come of a head that is not whole.
    pub(super) fn partial_head(&self) -> &[u8] {
        &self.held
    }

    /// Reads, and gives what passes the gate.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut impl ByteStream,
        state: &ConnectionState,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.passes_on(state) {
            if state.ending().is_some() {
                // Which has woken the dispatcher up.
                return Poll::Pending;
            }
            if let Some(outcome) = ready!(self.poll_socket(cx, stream, state, into)) {
                return Poll::Ready(outcome);
            }
        }
        let given = self.passed.len().min(into.remaining());
        into.put_slice(&self.passed.split_to(given));
        self.has_new_head = true;
        self.may_have_more = self.has_rest();
        Poll::Ready(Ok(()))
    }

    /// Reads from the socket. `None`: what came is held.
    fn poll_socket(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut impl ByteStream,
        state: &ConnectionState,
        into: &mut ReadBuf<'_>,
    ) -> Poll<Option<io::Result<()>>> {
        let mut scratch = state.worker().scratch();
        let asked = portion::read_at_once(into.remaining()).min(scratch.len());
        let mut read = ReadBuf::new(scratch.split_at_mut(asked).0);
        if let Err(error) = ready!(Pin::new(stream).poll_read(cx, &mut read)) {
            return Poll::Ready(Some(Err(error)));
        }
        self.may_have_more = read.remaining() == 0;
        let bytes = read.filled();
        // No bytes are the end of the connection.
        if bytes.is_empty() || !state.note_read(bytes) {
            return Poll::Ready(Some(Ok(())));
        }
        if !self.held.is_empty() {
            self.held.extend_from_slice(bytes);
            return Poll::Ready(None);
        }
        let step = self.gate.step(bytes, state);
        if let Step::Pass(passed) = step {
            let (passing, rest) = bytes.split_at(passed);
            into.put_slice(passing);
            self.held.extend_from_slice(rest);
            self.last = Passed::Read(passed);
            self.has_new_head = true;
            self.may_have_more |= !rest.is_empty();
            return Poll::Ready(Some(Ok(())));
        }
        self.held.extend_from_slice(bytes);
        self.take(step, state);
        Poll::Ready(None)
    }

    /// Takes steps with what is held, and tells whether some of it has passed.
    fn passes_on(&mut self, state: &ConnectionState) -> bool {
        while self.passed.is_empty() && !self.held.is_empty() {
            let step = self.gate.step(&self.held, state);
            if !self.take(step, state) {
                break;
            }
        }
        !self.passed.is_empty()
    }

    /// Takes a step with what is held. `false`: another one would be of no use.
    fn take(&mut self, step: Step, state: &ConnectionState) -> bool {
        match step {
            Step::Pass(bytes) => {
                let bytes = self.held.split_to(bytes).freeze();
                self.pass(bytes);
            }
            Step::Become(bytes, head) => {
                self.held.advance(bytes);
                self.pass(head.into());
            }
            Step::Skip(bytes) => self.held.advance(bytes),
            Step::Wait => return false,
            Step::Refuse(fault) => {
                state.end(End::Refused(fault));
                return false;
            }
            Step::Broken => {
                state.end(End::BrokenBody);
                return false;
            }
        }
        true
    }

    fn pass(&mut self, bytes: Bytes) {
        self.last = Passed::Kept(bytes.clone());
        self.passed = bytes;
    }
}
