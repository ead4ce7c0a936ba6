//! Which values a query finds.
use std::ops::ControlFlow;

mod filter;
mod functions;

use super::node::Node;
use super::query::{Query, Segment, Selector};
use crate::condition::Raised;
use crate::condition::budget::{Budget, VISIT};
use crate::python::PyValue;
use functions::LastPattern;

/// How deep `..` descends before the library gives up.
const MAX_DESCENT: usize = 100;

/// The search ended at a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopped {
    /// [`MAX_DESCENT`]: the reference finds nothing then.
    TooDeep,
    /// The evaluation's budget. Without it filters within filters would take endless time.
    Spent,
}

impl From<Raised> for Stopped {
    fn from(Raised: Raised) -> Self {
        Self::Spent
    }
}

/// One evaluation of a query.
struct Search<'v> {
    root: Node<'v>,
    budget: &'v Budget,
    pattern: LastPattern,
}

/// Receives each value found and says whether to go on.
type Found<'f, 'v> = dyn FnMut(Node<'v>) -> ControlFlow<()> + 'f;
/// Breaks with the reason: a bound reached, or enough found.
type Flow = ControlFlow<Result<(), Stopped>>;

impl Query {
    /// The first value the query finds: Python's `find_one`. Objects are visited in their own order.
    ///
    /// `None` also past 100 levels of `..`.
    ///
    /// # Errors
    /// Where the evaluation's budget ends.
    pub(crate) fn first<'v>(
        &'v self,
        context: Node<'v>,
        budget: &'v Budget,
    ) -> Result<Option<&'v PyValue>, Raised> {
        let mut search = Search {
            root: context,
            budget,
            pattern: LastPattern::default(),
        };
        let mut first = None;
        let flow = search.visit(&self.segments, context, &mut |value| {
            first = Some(value);
            ControlFlow::Break(())
        });
        match flow {
            ControlFlow::Break(Err(Stopped::Spent)) => Err(Raised),
            ControlFlow::Break(Err(Stopped::TooDeep)) => Ok(None),
            ControlFlow::Break(Ok(())) | ControlFlow::Continue(()) => Ok(first.and_then(Node::value)),
        }
    }
}

impl<'v> Search<'v> {
    /// Every value that a filter's query finds.
    fn all(&mut self, query: &'v Query, from: Node<'v>) -> Result<Vec<Node<'v>>, Stopped> {
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
    fn within(&mut self, root: Node<'v>, query: &'v Query) -> Result<Vec<Node<'v>>, Stopped> {
        let outer = std::mem::replace(&mut self.root, root);
        let all = self.all(query, root);
        self.root = outer;
        all
    }

    fn count(&self) -> Flow {
        match self.budget.spend(VISIT) {
            Ok(()) => ControlFlow::Continue(()),
            Err(raised) => stop(raised),
        }
    }

    fn visit(&mut self, segments: &'v [Segment], value: Node<'v>, found: &mut Found<'_, 'v>) -> Flow {
        self.count()?;
        match segments {
            [] => found(value).map_break(Ok),
            [segment, rest @ ..] if segment.descends => self.descend(segment, rest, value, 1, found),
            [segment, rest @ ..] => self.select(segment, rest, value, found),
        }
    }

    fn descend(
        &mut self,
        segment: &'v Segment,
        rest: &'v [Segment],
        value: Node<'v>,
        depth: usize,
        found: &mut Found<'_, 'v>,
    ) -> Flow {
        if depth > MAX_DESCENT {
            return ControlFlow::Break(Err(Stopped::TooDeep));
        }
        self.count()?;
        self.select(segment, rest, value, found)?;
        for child in value.children().map(Node::Value) {
            if child.is_container() {
                self.descend(segment, rest, child, depth + 1, found)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn select(
        &mut self,
        segment: &'v Segment,
        rest: &'v [Segment],
        value: Node<'v>,
        found: &mut Found<'_, 'v>,
    ) -> Flow {
        for selector in &segment.selectors {
            match selector {
                Selector::Name(name) => match value.member(name, self.budget) {
                    Ok(Some(child)) => self.visit(rest, Node::Value(child), found)?,
                    Ok(None) => {}
                    Err(raised) => return stop(raised),
                },
                Selector::Wildcard => {
                    for child in value.children() {
                        self.visit(rest, Node::Value(child), found)?;
                    }
                }
                Selector::Index(index) => {
                    if let Some(child) = element(value.elements(), *index) {
                        self.visit(rest, Node::Value(child), found)?;
                    }
                }
                Selector::Slice { start, stop, step } => {
                    for child in slice(value.elements(), *start, *stop, *step) {
                        self.visit(rest, Node::Value(child), found)?;
                    }
                }
                Selector::Filter(tested) => {
                    for child in value.children().map(Node::Value) {
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

fn stop(raised: Raised) -> Flow {
    ControlFlow::Break(Err(raised.into()))
}

fn element(elements: &[PyValue], index: i64) -> Option<&PyValue> {
    let from_end = if index < 0 {
        i64::try_from(elements.len()).ok()?
    } else {
        0
    };
    elements.get(usize::try_from(index + from_end).ok()?)
}

/// RFC 9535, 2.3.4.2.2; the indices are bounded by the parser, so that nothing overflows.
fn slice(
    elements: &[PyValue],
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
) -> impl Iterator<Item = &PyValue> {
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
    let next = move |index: &i64| Some(index + step);
    std::iter::successors(Some(start), next)
        .take_while(move |index| (step > 0 && *index < stop) || (step < 0 && *index > stop))
        .filter_map(|index| elements.get(usize::try_from(index).ok()?))
}
