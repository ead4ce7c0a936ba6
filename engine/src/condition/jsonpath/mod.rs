//! JSONPath (RFC 9535) as the reference's library reads and evaluates it.
//!
//! A crate does not serve: the library takes hyphens in names, and differs from the RFC in filters (`?@` on a value that
//! is falsy in Python; booleans have an order); it visits objects in their own order; and the work must be bounded.
//!
//! # Layout
//! - `query`: what a query is made of. `node`: what it searches.
//! - `pattern`: the patterns of functions.
//! - `parse`: text → [`Query`]; `parse/filter` reads what stands after a `?`, `parse/cursor` single characters.
//! - `select`: which values a query finds; `select/filter` says whether a filter holds, `select/functions` calls functions.
mod node;
mod parse;
mod pattern;
mod query;
mod select;
#[cfg(test)]
mod tests;

pub(crate) use node::{Context, Node};
pub(super) use query::PathError;
pub(crate) use query::Query;
