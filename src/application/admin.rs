//! Where the admin port is: it begins with the settings and follows a new configuration, on its own; the public port knows
//! nothing of it.
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use actors::threads::Threads;

use super::listening::{self, ListenError};
use crate::admin::{self, AdminContext, AdminOptions, AdminServer};
use crate::live::Live;
use crate::server::{BoundListener, SocketOptions};
use crate::settings::{AdminSettings, ListenHost};

/// The section that says where it is.
const SECTION: &str = "admin";

/// How long the server before may take to end where the port moves to another address: longer than it leaves the requests that
/// it has in hand. Whoever comes after may need its address.
const MOVE_PATIENCE: Duration = Duration::from_secs(3);

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
    /// This server's own: who is asked for no token at one address must not be let in at another.
    options: Live<AdminOptions>,
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
        let options = AdminOptions::clone(&context.options.newest());
        let port = Self {
            context,
            socket,
            open: Rc::default(),
        };
        match bound {
            Some(bound) => port.serve(bound, options).map(|()| port),
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
        options: AdminOptions,
    ) -> Result<(), ListenError> {
        let (asked, before) = (Place::of(settings), self.open_at());
        let asked = match (asked, &before) {
            (None, None) => return Ok(()),
            (None, Some(_)) => {
                self.close(MOVE_PATIENCE).await;
                log::info!("the admin port is closed");
                return Ok(());
            }
            (Some(asked), Some((place, in_force))) if asked == *place => {
                in_force.replace(options);
                return Ok(());
            }
            (Some(asked), _) => asked,
        };
        // What is told there is of what runs now, whoever is let in.
        let kept = before.map(|(place, in_force)| {
            let kept = options.clone().for_those_of(&in_force.newest());
            in_force.replace(kept.clone());
            (place, kept)
        });
        // Two hosts may share an address.
        let is_in_its_own_way = kept.as_ref().is_some_and(|(before, _)| before.port == asked.port);
        if is_in_its_own_way {
            self.close(MOVE_PATIENCE).await;
        }
        let moved = match asked.bind_aside().await {
            Ok(bound) => {
                self.close(MOVE_PATIENCE).await;
                self.serve(bound, options)
            }
            Err(error) => Err(error),
        };
        if moved.is_err()
            && self.open.borrow().is_none()
            && let Some((before, kept)) = kept
            && let Ok(bound) = before.bind_aside().await
        {
            self.serve(bound, kept)?;
        }
        moved
    }

    fn serve(&self, Bound { place, listeners }: Bound, options: AdminOptions) -> Result<(), ListenError> {
        let addresses: Vec<_> = listeners.iter().map(BoundListener::address).collect();
        let options = Live::new(options);
        let context = AdminContext {
            options: options.clone(),
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
            options,
        });
        Ok(())
    }

    /// Where it is, and the options in force there.
    fn open_at(&self) -> Option<(Place, Live<AdminOptions>)> {
        let open = self.open.borrow();
        open.as_ref()
            .map(|open| (open.place.clone(), open.options.clone()))
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
