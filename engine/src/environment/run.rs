//! Copying neighbours together.
use super::answer::Span;
use super::features::Defaults;

/// Copies spans of buffers, neighbouring ones at once.
pub(super) struct Run<'o, 'e> {
    pub out: &'o mut Vec<u8>,
    pending: Option<(&'e [u8], Span)>,
}

impl<'o, 'e> Run<'o, 'e> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, pending: None }
    }

    pub(super) fn push_defaults(&mut self, defaults: &'e Defaults, first: u32, end: u32) {
        let (start, end) = defaults.range(first, end);
        self.push(&defaults.bytes, Span { start, end });
    }

    pub(super) fn push(&mut self, source: &'e [u8], span: Span) {
        if span.start >= span.end {
            return;
        }
        match &mut self.pending {
            Some((pending, earlier)) if std::ptr::eq(*pending, source) && earlier.end == span.start => {
                earlier.end = span.end;
            }
            _ => {
                self.flush();
                self.pending = Some((source, span));
            }
        }
    }

    pub(super) fn flush(&mut self) {
        if let Some((source, span)) = self.pending.take() {
            self.out.extend_from_slice(span.of(source));
        }
    }
}
