//! Where the server and its admin port listen: whether the ports are free, or held by a proxy of this configuration.
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use super::finding::{Finding, Subject};
use crate::application::try_addresses;
use crate::health_check::{self, Asked, Candidates, Healthy, Unhealthy};
use crate::serving_record::{self, Serving};
use crate::settings::{ConfigurationSource, ListenHost, Settings};

/// What the system said of each address of a host.
type Tried = io::Result<Vec<(SocketAddr, io::Result<()>)>>;

/// What the system, and perhaps a proxy that runs, said.
#[derive(Debug)]
pub(super) struct Looked {
    server: Port,
    admin: Option<Port>,
    /// Where a proxy with this configuration file says that it listens.
    serving: Option<Serving>,
    /// What it, or whoever holds the port, says of its readiness; asked only where somebody does.
    health: Option<Health>,
    /// Why its documents are not fresh, where it is ready.
    stale: Option<String>,
}

/// What whoever is asked says of its readiness.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Health {
    Ready(String),
    /// In a proxy's words.
    NotReady(String),
    /// Nothing, or nothing that a proxy says.
    NoAnswer(String),
}

impl Health {
    fn of(answer: Result<Healthy, Unhealthy>) -> Self {
        match answer {
            Ok(healthy) => Self::Ready(healthy.to_string()),
            Err(
                unhealthy @ Unhealthy::Answer {
                    status: 503,
                    reason: Some(_),
                    ..
                },
            ) => Self::NotReady(unhealthy.to_string()),
            Err(unhealthy) => Self::NoAnswer(unhealthy.to_string()),
        }
    }

    const fn is_of_a_proxy(&self) -> bool {
        matches!(self, Self::Ready(_) | Self::NotReady(_))
    }
}

/// A port that is to be listened on.
#[derive(Debug)]
struct Port {
    host: ListenHost,
    port: u16,
    tried: Tried,
}

impl Port {
    fn try_at(host: &ListenHost, port: u16) -> Self {
        Self {
            tried: try_addresses(host, port),
            host: host.clone(),
            port,
        }
    }

    /// An address that somebody listens on.
    fn held(&self) -> Option<SocketAddr> {
        let tried = self.tried.as_ref().ok()?;
        let is_held = |error: &io::Error| error.kind() == ErrorKind::AddrInUse;
        tried
            .iter()
            .find(|(_, outcome)| outcome.as_ref().is_err_and(is_held))
            .map(|(address, _)| *address)
    }

    /// What is to be said of it; `section`: whose options it is of.
    fn told(&self, subject: &Subject, section: &str, of_held: impl FnOnce(SocketAddr) -> Finding) -> Finding {
        let place = match &self.host {
            ListenHost::Address(address) => SocketAddr::new(*address, self.port).to_string(),
            ListenHost::Name(name) => format!("{name}:{}", self.port),
        };
        let tried = match &self.tried {
            Ok(tried) => tried,
            Err(error) => {
                return subject.failure(
                    "port",
                    format!("{place}: the host's name has no address ({error})"),
                    format!("correct {section}.host, or give an address, as 0.0.0.0 or ::"),
                );
            }
        };
        if let Some(address) = self.held() {
            return of_held(address);
        }
        let refused = tried
            .iter()
            .find_map(|(address, outcome)| Some((address, outcome.as_ref().err()?)));
        match refused {
            None if self.port == 0 => subject.ok("port", "the system chooses one"),
            None => subject.ok("port", format!("{place} is free")),
            Some((address, error)) => subject.failure(
                "port",
                format!("cannot listen on {address}: {error}"),
                match error.kind() {
                    ErrorKind::PermissionDenied => format!(
                        "give a {section}.port from 1024 on, or allow this account lower ones (CAP_NET_BIND_SERVICE)"
                    ),
                    ErrorKind::AddrNotAvailable => {
                        format!("give {section}.host an address that this machine has, as 0.0.0.0 or ::")
                    }
                    _ => format!("choose another {section}.host or {section}.port"),
                },
            ),
        }
    }
}

/// Looks; takes no port, and asks a proxy that runs for its health. Blocks for some seconds at most.
pub(super) fn look(source: &ConfigurationSource, settings: &Settings) -> Looked {
    let server = Port::try_at(&settings.server.host, settings.server.port);
    let admin = &settings.admin;
    let directory = settings.persistence.directory.as_deref();
    let serving = serving_record::read(source.path(), directory);
    let is_any_asked = server.held().is_some() || serving.is_some();
    let health = is_any_asked.then(|| Health::of(health_check::ask(Asked::Server(Candidates::of(source)))));
    let is_ready = matches!(health, Some(Health::Ready(_))) && serving.is_some();
    let stale = is_ready.then(|| {
        let freshness = health_check::ask(Asked::Freshness(Candidates::of(source)));
        freshness.err().map(|unhealthy| unhealthy.to_string())
    });
    Looked {
        server,
        admin: admin.port.map(|port| Port::try_at(&admin.host, port)),
        serving,
        health,
        stale: stale.flatten(),
    }
}

/// What is to be said of it; pure.
pub(super) fn told(settings: &Settings, looked: &Looked) -> Vec<Finding> {
    let subject = Subject::new("server");
    let is_own = |address: SocketAddr| {
        let serving = looked.serving.as_ref();
        let is_at = |own: &SocketAddr| own.port() == address.port();
        serving.is_some_and(|serving| serving.addresses.iter().any(is_at))
    };
    let mut findings = vec![looked.server.told(&subject, "server", |address| {
        held(&subject, address, is_own(address), looked.health.as_ref())
    })];
    if let (Some(serving), Some(health)) = (&looked.serving, &looked.health) {
        findings.push(running(&subject, serving, health, looked.stale.as_deref()));
    }
    let subject = Subject::new("admin");
    findings.extend(looked.admin.as_ref().map(|port| {
        port.told(&subject, "admin", |address| {
            let health = looked.health.as_ref();
            admin_held(&subject, address, looked.serving.is_some(), health)
        })
    }));
    if settings.admin.is_open_to_others() {
        findings.push(subject.warning(
            "exposed",
            "admin.host is no address of this machine alone, and there is no admin.token: whoever reaches the port sees what the \
             environments are called, and may change the level of the log",
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

/// The record of a proxy that runs does not say where its admin port is.
fn admin_held(subject: &Subject, address: SocketAddr, is_running: bool, health: Option<&Health>) -> Finding {
    if is_running {
        return subject.ok(
            "port",
            format!("{address} is held, as a proxy with this configuration runs"),
        );
    }
    if health.is_some_and(Health::is_of_a_proxy) {
        return subject.warning(
            "port",
            format!("{address} is held, likely by the proxy that has server.port"),
            "where that is not the proxy which is meant, choose another admin.port, or free this one",
        );
    }
    subject.failure(
        "port",
        format!("{address} is held by another program"),
        "choose another admin.port, or free this one (ss -ltnp says who has it)",
    )
}

fn running(subject: &Subject, serving: &Serving, health: &Health, stale: Option<&str>) -> Finding {
    let at: Vec<String> = serving.addresses.iter().map(ToString::to_string).collect();
    let runs = format!("a proxy with this configuration runs at {}", at.join(", "));
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
        let admin = |is_running, health| admin_held(&subject, address, is_running, health).verdict;
        assert_eq!(admin(true, None), Verdict::Ok);
        assert_eq!(admin(false, Some(&ready)), Verdict::Warning);
        assert_eq!(admin(false, Some(&unready)), Verdict::Warning);
        assert_eq!(admin(false, Some(&silent)), Verdict::Failure);
        assert_eq!(admin(false, None), Verdict::Failure);
    }
}
