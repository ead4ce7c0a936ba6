//! Portions: how much is read at once.

/// What is read at once. A body of 1 MiB takes 128 turns, between which others have theirs.
pub(super) const AT_ONCE: usize = 8 * 1024;

/// The room below which the dispatcher makes its buffer larger (actix-http's `LW_BUFFER_SIZE`).
const LEAST_ROOM: usize = 1024;

/// Gives how much may be read into so much room.
///
/// The dispatcher doubles its buffer, up to 128 KiB, where a read leaves less than 1 KiB of room, and keeps it so.
pub(super) fn read_at_once(room: usize) -> usize {
    if room > 2 * LEAST_ROOM {
        AT_ONCE.min(room - LEAST_ROOM)
    } else {
        room
    }
}
