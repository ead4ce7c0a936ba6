use actix::prelude::*;

use super::UpstreamOptions;

/// Upstream is reached in this way from now on. Calls that are under way end as they began.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Reconnect(pub(crate) UpstreamOptions);
