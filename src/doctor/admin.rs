//! Who holds the admin port. It is told by what it says to everybody: whoever holds it in the proxy's place is not to hear
//! `admin.token`.
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::Uri;
use actors::upstream::{Fault, UpstreamOptions};
use serde_json::Value;
use tokio::time::timeout;

use crate::loopback::reachable;

/// How long an answer may take. The admin port has a thread of its own, which nothing holds up.
const PATIENCE: Duration = Duration::from_secs(3);
/// More is not what the admin port says.
const LONGEST: usize = 64 * 1024;
/// What it asks for where it has one, in its words.
const TOKEN: &str = "admin.token";

/// Who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occupant {
    /// The admin port of a proxy.
    AdminPort,
    /// Another program.
    Another,
    /// Nobody says.
    Silent,
}

/// Asks whoever listens at this address; of one that means any, at each that it may be reached by.
pub(super) async fn ask(address: SocketAddr) -> Occupant {
    let mut occupant = Occupant::Another;
    for reachable in reachable(address.ip()) {
        match ask_at(SocketAddr::new(reachable, address.port())).await {
            Occupant::AdminPort => return Occupant::AdminPort,
            Occupant::Silent => occupant = Occupant::Silent,
            Occupant::Another => {}
        }
    }
    occupant
}

async fn ask_at(address: SocketAddr) -> Occupant {
    let Ok(url) = format!("http://{address}/").parse() else {
        return Occupant::Silent;
    };
    timeout(PATIENCE, answer(&url)).await.unwrap_or(Occupant::Silent)
}

async fn answer(url: &Uri) -> Occupant {
    let client = UpstreamOptions::new("").client(url, PATIENCE);
    let mut answer = match client.get(url, &|request| request.force_close()).await {
        Ok(answer) => answer,
        Err(Fault::Late(_)) => return Occupant::Silent,
        Err(_) => return Occupant::Another,
    };
    let body = answer.body().limit(LONGEST).await;
    let said: Option<Value> = body.ok().and_then(|body| serde_json::from_slice(&body).ok());
    match said {
        Some(said) if is_of_admin_port(&said) => Occupant::AdminPort,
        _ => Occupant::Another,
    }
}

fn is_of_admin_port(said: &Value) -> bool {
    let message = said.get("message").and_then(Value::as_str);
    let wants_token = message.is_some_and(|message| message.contains(TOKEN));
    wants_token || said.get("edge_proxy").is_some()
}
