//! Where the admin port is: it begins with the settings and follows a new configuration, on its own; the public port knows
//! nothing of it.
use std::cell::RefCell;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use actors::threads::Threads;

use super::listening::{self, ListenError};
use crate::admin::{self, Access, AdminContext, AdminServer};
use crate::live::Live;
use crate::metrics::SwitchedParts;
use crate::server::{BoundListener, SocketOptions};
use crate::settings::{AdminSettings, ListenHost};

/// The section that says where it is.
const SECTION: &str = "admin";

/// How long the server before may take to end where the port moves to another address: longer than it leaves the requests that
/// it has in hand. Whoever comes after may need its address.
const MOVE_PATIENCE: Duration = Duration::from_secs(3);

/// How long one who asks may leave an answer unread: there are few places, and whoever is so slow has left, or is stuck.
const UNREAD: Duration = Duration::from_secs(15);

/// Where the port is to be; port 0 lets the system choose.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    host: ListenHost,
    port: u16,
}

impl Place {
    /// `None`: there is to be no such port.
    fn of(settings: &AdminSettings) -> Option<Self> {
        Some(Self {
            host: settings.host.clone(),
            port: settings.port?,
        })
    }

    fn bind(self) -> Result<Bound, ListenError> {
        let listeners = listening::bind(&self.host, self.port).map_err(|error| error.of(SECTION))?;
        Ok(Bound {
            place: self,
            listeners,
        })
    }

    /// Binds beside this thread, since a look-up of a name blocks.
    async fn bind_aside(self) -> Result<Bound, ListenError> {
        let place = format!("{}:{}", self.host, self.port);
        let bound = Threads::new("admin-bind", 1).run(move || self.bind()).await;
        let no_thread = || std::io::Error::other("the system allows no thread to look the name up");
        bound.unwrap_or_else(|| Err(ListenError::new(place, no_thread()).of(SECTION)))
    }
}

/// Bound, and not served yet.
#[derive(Debug)]
pub(super) struct Bound {
    place: Place,
    listeners: Vec<BoundListener>,
}

/// Binds the admin port, where there is to be one.
///
/// # Errors
/// As [`listening::bind`].
pub(super) fn bind(settings: &AdminSettings) -> Result<Option<Bound>, ListenError> {
    Place::of(settings).map(Place::bind).transpose()
}

/// The admin port of a process, whether it is open or not; clones share it.
#[derive(Debug, Clone)]
pub(super) struct AdminPort {
    context: AdminContext,
    socket: SocketOptions,
    open: Rc<RefCell<Option<Open>>>,
}

#[derive(Debug)]
struct Open {
    place: Place,
    addresses: Vec<SocketAddr>,
    server: AdminServer,
    /// This server's own.
    access: Live<Access>,
}

impl Open {
    /// Where it is now, with the port that the system has chosen where that was left to it.
    fn exact_place(&self) -> Place {
        let chosen = self.addresses.first().map(SocketAddr::port);
        Place {
            host: self.place.host.clone(),
            port: chosen.unwrap_or(self.place.port),
        }
    }
}

/// Why the port is not where it is to be.
#[derive(Debug)]
pub(super) struct NotMoved {
    why: ListenError,
    /// Whether it answers at its place before.
    stays: bool,
}

impl std::error::Error for NotMoved {}

impl fmt::Display for NotMoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standing = if self.stays {
            "stays as it was"
        } else {
            "is closed"
        };
        write!(f, "the admin port {standing}: {}", self.why)
    }
}

impl AdminPort {
    /// Serves what is bound; without it the port stays closed.
    ///
    /// # Errors
    /// Where the system refuses the listeners to the server.
    pub(super) fn start(
        bound: Option<Bound>,
        socket: SocketOptions,
        context: AdminContext,
    ) -> Result<Self, ListenError> {
        let access = Access::clone(&context.access.newest());
        let socket = SocketOptions {
            unacknowledged: socket.unacknowledged.min(UNREAD),
            ..socket
        };
        let port = Self {
            context,
            socket,
            open: Rc::default(),
        };
        match bound {
            Some(bound) => port.serve(bound, access).map(|()| port),
            None => Ok(port),
        }
    }

    /// Where it answers; empty while it is closed.
    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        let open = self.open.borrow();
        open.as_ref()
            .map(|open| open.addresses.clone())
            .unwrap_or_default()
    }

    /// Follows a new configuration: opens, closes or moves where that says so. Requests in hand are answered first. Until it has
    /// moved, and where it cannot, whoever asks is let in as before.
    ///
    /// # Errors
    /// Where it cannot be where it is to be; it stays as it is then, if it is anywhere, its host and token included.
    pub(super) async fn follow(
        &self,
        settings: &AdminSettings,
        parts: SwitchedParts,
    ) -> Result<(), NotMoved> {
        // What is told is of what runs now, whoever is let in.
        self.context.parts.replace(parts);
        match (Place::of(settings), self.place()) {
            (None, None) => Ok(()),
            (None, Some(_)) => {
                self.close(MOVE_PATIENCE).await;
                log::info!("the admin port is closed");
                Ok(())
            }
            (Some(asked), Some(place)) if asked == place => {
                if let Some(open) = &*self.open.borrow() {
                    open.access.replace(Access::of(settings));
                }
                Ok(())
            }
            (Some(asked), _) => self.move_to(asked, Access::of(settings)).await,
        }
    }

    /// Moves it, or opens it where it is closed.
    async fn move_to(&self, asked: Place, access: Access) -> Result<(), NotMoved> {
        let before = self.open.borrow().as_ref().map(|open| {
            let access = Access::clone(&open.access.newest());
            (open.exact_place(), open.place.clone(), access)
        });
        // Two hosts may share an address.
        let is_in_its_own_way = before
            .as_ref()
            .is_some_and(|(exact, ..)| exact.port == asked.port);
        if is_in_its_own_way {
            self.close(MOVE_PATIENCE).await;
        }
        let moved = match asked.bind_aside().await {
            Ok(bound) => {
                self.close(MOVE_PATIENCE).await;
                self.serve(bound, access)
            }
            Err(error) => Err(error),
        };
        let Err(why) = moved else {
            return Ok(());
        };
        if !self.is_open()
            && let Some((exact, place, access)) = before
            && let Ok(Bound { listeners, .. }) = exact.bind_aside().await
        {
            // A failure is told as that of the move, which comes first.
            let _ = self.serve(Bound { place, listeners }, access);
        }
        let stays = self.is_open();
        Err(NotMoved { why, stays })
    }

    fn serve(&self, Bound { place, listeners }: Bound, access: Access) -> Result<(), ListenError> {
        let addresses: Vec<_> = listeners.iter().map(BoundListener::address).collect();
        let access = Live::new(access);
        let context = AdminContext {
            access: access.clone(),
            ..self.context.clone()
        };
        let server = admin::serve(listeners, self.socket, &context)
            .map_err(|source| ListenError::new(&place.host, source).of(SECTION))?;
        for address in &addresses {
            log::info!("the admin port is http://{address}/");
        }
        *self.open.borrow_mut() = Some(Open {
            place,
            addresses,
            server,
            access,
        });
        Ok(())
    }

    fn place(&self) -> Option<Place> {
        self.open.borrow().as_ref().map(|open| open.place.clone())
    }

    fn is_open(&self) -> bool {
        self.open.borrow().is_some()
    }

    /// Closes the port; waits at most `patience` for what is in hand. Whether nothing of it is left.
    pub(super) async fn close(&self, patience: Duration) -> bool {
        let open = self.open.borrow_mut().take();
        match open {
            Some(open) => open.server.stop(patience).await,
            None => true,
        }
    }
}
