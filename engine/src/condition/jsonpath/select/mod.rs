//! Which values a query finds.
use std::ops::ControlFlow;

mod filter;
mod functions;

use super::query::{Query, Segment, Selector};
use crate::python::PyValue;

/// How many values one query may visit. Without a bound filters within filters would take endless time.
const MAX_VISITS: usize = 100_000;
/// How deep `..` descends before the library gives up.
const MAX_DESCENT: usize = 100;

/// The search ended at a bound; the reference finds nothing then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stopped;

/// One evaluation of a query.
struct Search<'v> {
    root: &'v PyValue,
    visits_left: usize,
}

/// Receives each value found and says whether to go on.
type Found<'f, 'v> = dyn FnMut(&'v PyValue) -> ControlFlow<()> + 'f;
/// Breaks with the reason: a bound reached, or enough found.
type Flow = ControlFlow<Result<(), Stopped>>;

impl Query {
    /// The first value the query finds: Python's `find_one`. Objects are visited in their own order.
    ///
    /// `None` also where the search takes too long: past 100,000 values visited, or 100 levels of `..`.
    pub(crate) fn first<'v>(&self, context: &'v PyValue) -> Option<&'v PyValue> {
        let mut search = Search {
            root: context,
            visits_left: MAX_VISITS,
        };
        let mut first = None;
        let flow = search.visit(&self.segments, context, &mut |value| {
            first = Some(value);
            ControlFlow::Break(())
        });
        match flow {
            ControlFlow::Break(Err(Stopped)) => None,
            ControlFlow::Break(Ok(())) | ControlFlow::Continue(()) => first,
        }
    }
}

impl<'v> Search<'v> {
    /// Every value that a filter's query finds.
    fn all(&mut self, query: &Query, from: &'v PyValue) -> Result<Vec<&'v PyValue>, Stopped> {
        let mut all = Vec::new();
        let flow = self.visit(&query.segments, from, &mut |value| {
            all.push(value);
            ControlFlow::Continue(())
        });
        match flow {
            ControlFlow::Break(Err(stopped)) => Err(stopped),
            ControlFlow::Break(Ok(())) | ControlFlow::Continue(()) => Ok(all),
        }
    }

    /// Every value that a filter's query finds, with the value it starts from as the root.
    fn within(&mut self, root: &'v PyValue, query: &Query) -> Result<Vec<&'v PyValue>, Stopped> {
        let outer = std::mem::replace(&mut self.root, root);
        let all = self.all(query, root);
        self.root = outer;
        all
    }

    fn count(&mut self) -> Flow {
        match self.visits_left.checked_sub(1) {
            Some(left) => {
                self.visits_left = left;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(Err(Stopped)),
        }
    }

    fn visit(&mut self, segments: &[Segment], value: &'v PyValue, found: &mut Found<'_, 'v>) -> Flow {
        self.count()?;
        match segments {
            [] => found(value).map_break(Ok),
            [segment, rest @ ..] if segment.descends => self.descend(segment, rest, value, 1, found),
            [segment, rest @ ..] => self.select(segment, rest, value, found),
        }
    }

    fn descend(
        &mut self,
        segment: &Segment,
        rest: &[Segment],
        value: &'v PyValue,
        depth: usize,
        found: &mut Found<'_, 'v>,
    ) -> Flow {
        if depth > MAX_DESCENT {
            return ControlFlow::Break(Err(Stopped));
        }
        self.select(segment, rest, value, found)?;
        for child in children(value) {
            if matches!(child, PyValue::List(_) | PyValue::Dict(_)) {
                self.descend(segment, rest, child, depth + 1, found)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn select(
        &mut self,
        segment: &Segment,
        rest: &[Segment],
        value: &'v PyValue,
        found: &mut Found<'_, 'v>,
    ) -> Flow {
        for selector in &segment.selectors {
            match selector {
                Selector::Name(name) => {
                    if let Some(child) = value.member(name) {
                        self.visit(rest, child, found)?;
                    }
                }
                Selector::Wildcard => {
                    for child in children(value) {
                        self.visit(rest, child, found)?;
                    }
                }
                Selector::Index(index) => {
                    if let Some(child) = element(value, *index) {
                        self.visit(rest, child, found)?;
                    }
                }
                Selector::Slice { start, stop, step } => {
                    for child in slice(value, *start, *stop, *step) {
                        self.visit(rest, child, found)?;
                    }
                }
                Selector::Filter(tested) => {
                    for child in children(value) {
                        self.count()?;
                        match tested.is_truthy(child, self) {
                            Ok(true) => self.visit(rest, child, found)?,
                            Ok(false) => {}
                            Err(stopped) => return ControlFlow::Break(Err(stopped)),
                        }
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// The values within a list or an object, in order.
fn children(value: &PyValue) -> Box<dyn Iterator<Item = &PyValue> + '_> {
    match value {
        PyValue::List(elements) => Box::new(elements.iter()),
        PyValue::Dict(members) => Box::new(members.iter().map(|(_, value)| value)),
        _ => Box::new(std::iter::empty()),
    }
}

fn elements(value: &PyValue) -> &[PyValue] {
    match value {
        PyValue::List(elements) => elements,
        _ => &[],
    }
}

fn element(value: &PyValue, index: i64) -> Option<&PyValue> {
    let elements = elements(value);
    let from_end = if index < 0 {
        i64::try_from(elements.len()).ok()?
    } else {
        0
    };
    elements.get(usize::try_from(index + from_end).ok()?)
}

/// RFC 9535, 2.3.4.2.2; the indices are bounded by the parser, so that nothing overflows.
fn slice(value: &PyValue, start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<&PyValue> {
    let elements = elements(value);
    let length = i64::try_from(elements.len()).unwrap_or(i64::MAX);
    let normal = |index: i64| if index < 0 { length + index } else { index };
    let (lowest, highest) = if step < 0 { (-1, length - 1) } else { (0, length) };
    let bounded = |index: Option<i64>, otherwise: i64| {
        index.map_or(otherwise, |index| {
            normal(index).clamp(lowest, highest.max(lowest))
        })
    };
    let (start, stop) = if step < 0 {
        (bounded(start, highest), bounded(stop, lowest))
    } else {
        (bounded(start, lowest), bounded(stop, highest))
    };
    let mut selected = Vec::new();
    let mut index = start;
    while (step > 0 && index < stop) || (step < 0 && index > stop) {
        selected.extend(usize::try_from(index).ok().and_then(|index| elements.get(index)));
        index += step;
    }
    selected
}
