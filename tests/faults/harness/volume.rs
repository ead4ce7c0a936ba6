//! How much of a fault is caused.

/// Whether the full volumes are asked for: `FAULTS=full`, as `make faults` says.
pub(crate) fn is_full() -> bool {
    std::env::var("FAULTS").is_ok_and(|volume| volume == "full")
}

/// How much of something: this in an ordinary run, and that in a full one.
pub(crate) fn volume<T>(ordinary: T, full: T) -> T {
    if is_full() { full } else { ordinary }
}
