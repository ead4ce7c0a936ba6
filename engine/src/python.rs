//! Python's numbers and texts, which the reference engine's results depend on.
