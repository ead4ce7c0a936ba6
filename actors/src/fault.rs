//! Breaking an actor on purpose. Release builds do not have it: it stands behind the feature `fault-injection`.
use actix::prelude::*;

/// Makes the actor that handles it panic, as a defect would.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Panic;

/// Holds the thread of the actor that handles it until the other end of this channel is gone, as a busy machine would.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Hold(pub std::sync::mpsc::Receiver<()>);

/// Makes the thread that does an actor's blocking work wait until the sender has gone, as a disk that hangs would.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Hang(pub std::sync::mpsc::Receiver<()>);
