//! What holds of whatever a pattern, a path or a version says.
use std::cmp::Ordering;

use super::jsonpath::{Node, Query};
use super::regex::{Room, by_each_engine};
use super::semver::Version;
use super::{Budget, MOST_STEPS};
use crate::python::PyValue;

/// A pattern in the first line, and a text behind it. It is refused, or matches within the budget, by each engine alike.
pub(crate) fn regex(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let (pattern, text) = input.split_once('\n').unwrap_or((&input, ""));
    if let Ok([Some(Ok(linear)), Some(Ok(backtracking))]) = by_each_engine(pattern, text) {
        assert_eq!(linear, backtracking, "the engines differ");
    }
}

/// A path in the first line, and the JSON that it searches behind it. It finds the same twice, within the budget.
pub(crate) fn json_path(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let (path, context) = input.split_once('\n').unwrap_or((&input, "{}"));
    let Ok(context) = PyValue::from_json_text(context) else {
        return;
    };
    let find = || {
        let query = Query::parse(path, &mut Room::default()).ok()?;
        let budget = Budget::new();
        let found = query
            .first(Node::Value(&context), &budget)
            .map(|found| found.map(PyValue::text));
        assert!(budget.spent() <= MOST_STEPS, "more steps than there may be");
        Some(found)
    };
    assert_eq!(find(), find(), "another value");
}

/// Two versions in two lines. What is one is written as it was read, and two have an order.
pub(crate) fn semver(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let (one, other) = input.split_once('\n').unwrap_or((&input, &input));
    let (Some(first), Some(second)) = (Version::parse(one), Version::parse(other)) else {
        return;
    };
    for (version, text) in [(&first, one), (&second, other)] {
        assert_eq!(version.written(), text, "another version");
        assert_eq!(version.compare(version), Ordering::Equal, "{text} is not itself");
    }
    let order = first.compare(&second);
    assert_eq!(second.compare(&first), order.reverse(), "{one} and {other}");
    assert_eq!(
        first.clone().into_owned().compare(&second),
        order,
        "{one} and {other}"
    );
}
