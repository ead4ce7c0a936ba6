//! Starts the edge proxy.
fn main() {}
