//! Who hears of what another process has stored.
use actix::prelude::*;

use super::StoreActor;
use crate::keys::KeyDigest;
use crate::store::format::Stored;

/// What another process had stored where a document was to be stored: it is newer, or has a higher number.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Found(pub(crate) Stored);

/// What is stored of these environments may be something else than what was read: the folder has become this process's own late,
/// or is another one than before.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct LookAgain(pub(crate) Vec<KeyDigest>);

/// From now on these hear of it.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::store) struct Follow {
    pub(in crate::store) found: Recipient<Found>,
    pub(in crate::store) look_again: Recipient<LookAgain>,
}

/// Those that hear of it: none before [`Follow`].
#[derive(Default)]
pub(super) struct Followers(Option<Follow>);

impl Followers {
    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by design: one an environment, each time that the folder is taken"
    )]
    pub(super) fn tell_found(&self, stored: Stored) {
        if let Some(follow) = &self.0 {
            follow.found.do_send(Found(stored));
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by design: one each time that the folder is taken"
    )]
    pub(super) fn tell_of_another_folder(&self, environments: Vec<KeyDigest>) {
        if let Some(follow) = &self.0 {
            follow.look_again.do_send(LookAgain(environments));
        }
    }
}

impl Handler<Follow> for StoreActor {
    type Result = ();

    fn handle(&mut self, follow: Follow, _: &mut Self::Context) {
        self.followers = Followers(Some(follow));
    }
}
