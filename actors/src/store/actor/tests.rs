//! What the actor makes of a directory that becomes another one, whatever comes back first.
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;
use crate::lifeline::Lifelines;
use crate::store::format::tests::{environment, stored};

fn lead(path: &Path, to: &Path) {
    let _ = fs::remove_file(path);
    symlink(to, path).unwrap();
}

#[actix_rt::test]
async fn what_is_written_as_the_directory_changes_is_stored_anew_whatever_is_heard_of_first() {
    for is_look_first in [false, true] {
        let parent = tempfile::tempdir().unwrap();
        let [one, two, path] = ["one", "two", "store"].map(|name| parent.path().join(name));
        for folder in [&one, &two] {
            fs::create_dir(folder).unwrap();
        }
        lead(&path, &one);
        let folder = Arc::new(Folder::new(path.clone()));
        let mut actor = StoreActor::new(Parts {
            folder: Arc::clone(&folder),
            health: StoreHealth::new(),
            retry: Duration::from_secs(5),
            look: Duration::from_secs(30),
            configured: HashSet::new(),
            counts: Arc::default(),
            lifeline: Lifelines::new().guard("StoreActor"),
        });
        let item = Item {
            stored: stored(1, b"{}"),
            label: "environment 1".to_owned(),
        };
        assert_eq!(folder.own(), Ok(true));
        assert!(!actor.notice_another_folder());
        // Nobody drives the context: what the actor asks of the disk stays undone.
        let mut ctx = Context::new();
        actor.pending.put(item);
        let item = actor.pending.begin().unwrap();
        let taken = folder.times_taken();
        let kept = folder.keep(&item.stored).unwrap();
        // The disk has written it, and has looked, before the actor hears of either.
        lead(&path, &two);
        assert_eq!(folder.own(), Ok(true));
        if is_look_first {
            assert!(!actor.notice_another_folder());
        }
        actor.wrote(item, Ok((kept, taken)), &mut ctx);
        assert!(actor.pending.newest(environment()).is_some(), "{is_look_first}");
        assert!(actor.written.is_empty());
    }
}
