//! What the system says of the ports, and what whoever listens there says of its health. All of it blocks, for some seconds at most.
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use crate::application::try_addresses;
use crate::doctor::finding::{Finding, Subject};
use crate::health_check::{self, Asked, Candidates, Healthy, Unhealthy};
use crate::serving_record::{self, Serving};
use crate::settings::{ConfigurationSource, ListenHost, Settings};

/// What the system said of each address of a host.
type Tried = io::Result<Vec<(SocketAddr, io::Result<()>)>>;

/// Whether a proxy runs that was started with the same configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::doctor) enum Running {
    /// It says that it listens there, and somebody does.
    Here(Serving),
    /// It says so, and nobody listens there: it has another network, as that of another container with the same directory.
    Elsewhere,
    /// None has left word, and somebody listens at `server.port`.
    Perhaps,
    /// None has left word.
    Nobody,
}

impl Running {
    /// Reads what a process has left word of.
    pub(in crate::doctor) fn look(source: &ConfigurationSource, settings: &Settings) -> Self {
        let (server, directory) = (&settings.server, settings.persistence.directory.as_deref());
        let at = (&server.host, server.port);
        let Some(serving) = serving_record::read(source, directory, Some(at)) else {
            let server = Port::try_at(&server.host, server.port);
            return server.held().map_or(Self::Nobody, |_| Self::Perhaps);
        };
        let is_held = |address: &SocketAddr| {
            let port = Port::try_at(&ListenHost::Address(address.ip()), address.port());
            port.held().or_else(|| port.forbidden()).is_some()
        };
        match serving.addresses.iter().any(is_held) {
            true => Self::Here(serving),
            false => Self::Elsewhere,
        }
    }

    pub(in crate::doctor) const fn here(&self) -> Option<&Serving> {
        match self {
            Self::Here(serving) => Some(serving),
            _ => None,
        }
    }
}

/// What the system, and perhaps a proxy that runs, said.
#[derive(Debug)]
pub(in crate::doctor) struct Looked {
    pub(super) server: Port,
    pub(super) admin: Option<Port>,
    pub(super) running: Running,
    /// What it, or whoever holds the port, says of its readiness; asked only where somebody does.
    pub(super) health: Option<Health>,
    /// What whoever holds the port says, where that is not the proxy that runs, which listens elsewhere.
    pub(super) holder: Option<Health>,
    /// Why its documents are not fresh, where it is ready.
    pub(super) stale: Option<String>,
}

impl Looked {
    /// What is known of whoever holds `server.port` in the place of the proxy that runs.
    pub(super) fn of_holder(&self) -> Option<&Health> {
        match self.running.here() {
            Some(_) => self.holder.as_ref(),
            None => self.health.as_ref(),
        }
    }

    /// Where somebody else may be at the admin port.
    pub(in crate::doctor) fn admin_address(&self) -> Option<SocketAddr> {
        let port = self.admin.as_ref()?;
        port.held().or_else(|| port.forbidden())
    }
}

/// What whoever is asked says of its readiness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Health {
    Ready(String),
    /// In a proxy's words.
    NotReady(String),
    /// Nothing, or nothing that a proxy says.
    NoAnswer(String),
}

impl Health {
    /// Of [`Asked::Server`], to which a proxy's answers alone count.
    fn of(answer: Result<Healthy, Unhealthy>) -> Self {
        match answer {
            Ok(healthy) => Self::Ready(healthy.to_string()),
            Err(unhealthy @ Unhealthy::Answer { .. }) => Self::NotReady(unhealthy.to_string()),
            Err(unhealthy) => Self::NoAnswer(unhealthy.to_string()),
        }
    }

    pub(super) const fn is_of_a_proxy(&self) -> bool {
        matches!(self, Self::Ready(_) | Self::NotReady(_))
    }
}

/// A port that is to be listened on.
#[derive(Debug)]
pub(super) struct Port {
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
        self.refused_for(ErrorKind::AddrInUse)
    }

    /// Where to listen, as far as that is known.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        let tried = self.tried.iter().flatten();
        tried.map(|(address, _)| *address)
    }

    /// An address that this account may not listen on; a service's account may, and who holds it is not told.
    fn forbidden(&self) -> Option<SocketAddr> {
        self.refused_for(ErrorKind::PermissionDenied)
    }

    fn refused_for(&self, kind: ErrorKind) -> Option<SocketAddr> {
        let tried = self.tried.as_ref().ok()?;
        let is_refused = |outcome: &io::Result<()>| outcome.as_ref().is_err_and(|error| error.kind() == kind);
        let refused = tried.iter().find(|(_, outcome)| is_refused(outcome));
        refused.map(|(address, _)| *address)
    }

    /// What is to be said of it; `section`: whose options it is of; `is_proxy_at`: whether a proxy is known to answer at an
    /// address that this account may not listen on.
    pub(super) fn told(
        &self,
        subject: &Subject,
        section: &str,
        is_proxy_at: impl FnOnce(SocketAddr) -> bool,
        of_held: impl FnOnce(SocketAddr) -> Finding,
    ) -> Finding {
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
        let held = self.held();
        if let Some(address) = held.or_else(|| self.forbidden().filter(|address| is_proxy_at(*address))) {
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

/// Whether a process listens at an address, or at any.
pub(super) fn is_at(serving: &Serving, address: SocketAddr) -> bool {
    serving.is_at(&ListenHost::Address(address.ip()), address.port())
}

/// Looks; takes no port, and asks a proxy that runs for its health.
pub(in crate::doctor) fn look(settings: &Settings, running: Running) -> Looked {
    let server = Port::try_at(&settings.server.host, settings.server.port);
    let admin = &settings.admin;
    let serving = running.here();
    let candidates = || Candidates::of_settings(settings, serving);
    let occupied = server.held().or_else(|| server.forbidden());
    let is_another = |serving: &Serving| occupied.is_some_and(|address| !is_at(serving, address));
    let holder = serving.filter(|serving| is_another(serving)).map(|_| {
        Health::of(health_check::ask(Asked::Server(Candidates::of_settings(
            settings, None,
        ))))
    });
    let is_any_asked = serving.is_some() || occupied.is_some();
    let health = is_any_asked.then(|| Health::of(health_check::ask(Asked::Server(candidates()))));
    let is_ready = matches!(health, Some(Health::Ready(_))) && serving.is_some();
    let stale = is_ready.then(|| {
        let freshness = health_check::ask(Asked::Freshness(candidates()));
        freshness.err().map(|unhealthy| unhealthy.to_string())
    });
    Looked {
        server,
        admin: admin.port.map(|port| Port::try_at(&admin.host, port)),
        health,
        holder,
        stale: stale.flatten(),
        running,
    }
}
