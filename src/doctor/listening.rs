//! Where the server and its admin port listen: whether the ports are free, or held by a proxy of this configuration; pure.
use std::net::SocketAddr;

use super::admin::Occupant;
use super::finding::{Finding, Subject};
use crate::serving_record::Serving;
use crate::settings::Settings;

mod look;

use look::{Health, Port, is_at};
pub(super) use look::{Looked, Running, look};

/// What is to be said of it; `at_admin`: who is at the admin port, where that is held.
pub(super) fn told(settings: &Settings, looked: &Looked, at_admin: Occupant) -> Vec<Finding> {
    let subject = Subject::new("server");
    let serving = looked.running.here();
    let is_own = |address| serving.is_some_and(|serving| is_at(serving, address));
    let holder = looked.of_holder();
    let is_of_a_proxy = holder.is_some_and(Health::is_of_a_proxy);
    let is_proxy_at = |address| is_own(address) || is_of_a_proxy;
    let mut findings = vec![looked.server.told(&subject, "server", is_proxy_at, |address| {
        held(&subject, address, is_own(address), holder)
    })];
    findings.extend(
        serving
            .filter(|serving| is_to_move(serving, &looked.server))
            .map(|serving| to_move(&subject, serving)),
    );
    if let (Some(serving), Some(health)) = (serving, looked.health.as_ref()) {
        findings.push(running(&subject, serving, health, looked.stale.as_deref()));
    }
    if looked.running == Running::Elsewhere {
        findings.push(subject.ok(
            "health",
            "a proxy with this configuration runs, and none listens here: it is in another container, or about to end",
        ));
    }
    let subject = Subject::new("admin");
    let is_admin_port = |_| at_admin == Occupant::AdminPort;
    findings.extend(looked.admin.as_ref().map(|port| {
        port.told(&subject, "admin", is_admin_port, |address| {
            admin_held(&subject, address, at_admin, (serving.is_some(), is_of_a_proxy))
        })
    }));
    if settings.admin.is_open_to_others() {
        findings.push(subject.warning(
            "exposed",
            "admin.host is no address of this machine alone, and there is no admin.token: whoever reaches the port sees how the \
             environments fare, reads their flags, segments and overrides (/explain), and may change the level of the log",
            "set admin.token, or admin.host to 127.0.0.1, unless the network lets operators alone reach it",
        ));
    }
    findings
}

fn held(subject: &Subject, address: SocketAddr, is_own: bool, health: Option<&Health>) -> Finding {
    match health {
        _ if is_own => subject.ok(
            "port",
            format!("{address} is held by the proxy of this configuration"),
        ),
        Some(Health::Ready(told) | Health::NotReady(told)) => subject.warning(
            "port",
            format!(
                "{address} is held by a process that answers as a proxy does ({told}), and has left no word here that it was \
                 started with this file"
            ),
            "where that is not the proxy which is meant, choose another server.port, or free this one; else run the doctor as that \
             one runs: its account, its file, its TMPDIR or persistence.directory",
        ),
        _ => subject.failure(
            "port",
            format!("{address} is held by another program"),
            "choose another server.port, or free this one (ss -ltnp says who has it)",
        ),
    }
}

/// The record of a proxy that runs does not say where its admin port is. `is_running`, `is_served`: whether a proxy with this
/// configuration runs, and whether a proxy answers at `server.port`.
fn admin_held(
    subject: &Subject,
    address: SocketAddr,
    at_admin: Occupant,
    (is_running, is_served): (bool, bool),
) -> Finding {
    match at_admin {
        Occupant::AdminPort if is_running => subject.ok(
            "port",
            format!("{address} is a proxy's admin port, and one with this configuration runs"),
        ),
        Occupant::AdminPort if is_served => subject.warning(
            "port",
            format!("{address} is a proxy's admin port, likely that of the one which has server.port"),
            "where that is not the proxy which is meant, choose another admin.port, or free this one",
        ),
        Occupant::AdminPort => subject.failure(
            "port",
            format!("{address} is the admin port of another proxy"),
            "choose another admin.port, or stop that proxy",
        ),
        Occupant::Another | Occupant::Silent => subject.failure(
            "port",
            format!(
                "{address} is held by another program{}",
                if at_admin == Occupant::Silent {
                    ", which does not answer"
                } else {
                    ""
                }
            ),
            "choose another admin.port, or free this one (ss -ltnp says who has it)",
        ),
    }
}

/// Whether the configuration has a proxy that runs listen elsewhere by now.
fn is_to_move(serving: &Serving, port: &Port) -> bool {
    let mut addresses = port.addresses().filter(|address| address.port() != 0).peekable();
    addresses.peek().is_some() && !addresses.any(|address| is_at(serving, address))
}

fn to_move(subject: &Subject, serving: &Serving) -> Finding {
    subject.warning(
        "port",
        format!(
            "the proxy with this configuration that runs listens at {} until it is restarted",
            listed(serving)
        ),
        "restart it, and have its clients ask at server.host and server.port; or give these as they were",
    )
}

fn listed(serving: &Serving) -> String {
    let at: Vec<String> = serving.addresses.iter().map(ToString::to_string).collect();
    at.join(", ")
}

fn running(subject: &Subject, serving: &Serving, health: &Health, stale: Option<&str>) -> Finding {
    let runs = format!("a proxy with this configuration runs at {}", listed(serving));
    match (health, stale) {
        (Health::Ready(_), Some(stale)) => subject.warning(
            "health",
            format!("{runs}, and serves old documents: {stale}"),
            "see its key pairs above: why nothing new comes is said there, and in the detail of its /proxy/health",
        ),
        (Health::Ready(healthy), None) => subject.ok("health", format!("{runs}: {healthy}")),
        (Health::NotReady(unhealthy) | Health::NoAnswer(unhealthy), _) => subject.failure(
            "health",
            format!("{runs}: {unhealthy}"),
            "see its key pairs above, and the detail of each environment in its /proxy/health",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_held_port_is_the_proxys_own_or_somebody_s() {
        let subject = Subject::new("server");
        let address = ([127, 0, 0, 1], 1).into();
        let ready = Health::Ready("healthy".to_owned());
        let unready = Health::NotReady("no document".to_owned());
        let silent = Health::NoAnswer("no answer".to_owned());
        let verdict = |is_own, health| held(&subject, address, is_own, Some(health)).verdict;
        assert_eq!(verdict(true, &silent), Verdict::Ok);
        assert_eq!(verdict(false, &ready), Verdict::Warning);
        assert_eq!(verdict(false, &unready), Verdict::Warning);
        assert_eq!(verdict(false, &silent), Verdict::Failure);
        let admin = |at_admin, is_running, is_served| {
            admin_held(&subject, address, at_admin, (is_running, is_served)).verdict
        };
        assert_eq!(admin(Occupant::AdminPort, true, true), Verdict::Ok);
        assert_eq!(admin(Occupant::AdminPort, false, true), Verdict::Warning);
        assert_eq!(admin(Occupant::AdminPort, false, false), Verdict::Failure);
        // A proxy that runs does not have every port.
        assert_eq!(admin(Occupant::Another, true, true), Verdict::Failure);
        assert_eq!(admin(Occupant::Silent, true, true), Verdict::Failure);
    }
}
