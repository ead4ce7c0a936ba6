use super::look::fleeting;
use super::*;

fn looked() -> Looked {
    Looked {
        directory: "/store".into(),
        report: Ok(Some(StoreReport {
            is_taken: false,
            stored: vec![0],
            complaints: Vec::new(),
            of_nobody: 0,
            of_other_versions: 0,
            foreign: Vec::new(),
            bytes: 0,
        })),
        unmade: None,
        room: Some(1 << 40),
        fleeting: None,
    }
}

fn verdicts(looked: &Looked, documents: u64) -> Vec<(&'static str, Verdict)> {
    let findings = of_sizes(looked, &[Some(documents)]);
    findings
        .iter()
        .map(|finding| (finding.check, finding.verdict))
        .collect()
}

#[test]
fn room_is_for_three_of_each_document_and_for_counts() {
    let with = |room: u64| Looked {
        room: Some(room),
        ..looked()
    };
    let room = |room: u64| {
        verdicts(&with(room), 100 << 20)
            .into_iter()
            .find(|(check, _)| *check == "room")
    };
    assert_eq!(room(400 << 20), Some(("room", Verdict::Ok)));
    assert_eq!(room(310 << 20), Some(("room", Verdict::Warning)));
    assert_eq!(room(290 << 20), Some(("room", Verdict::Failure)));
    // Two of the three are there.
    let mut steady = with(110 << 20);
    if let Ok(Some(report)) = &mut steady.report {
        report.bytes = 200 << 20;
    }
    let found = verdicts(&steady, 100 << 20);
    assert!(found.contains(&("room", Verdict::Warning)), "{found:?}");
    steady.room = Some(90 << 20);
    let found = verdicts(&steady, 100 << 20);
    assert!(found.contains(&("room", Verdict::Failure)), "{found:?}");
}

#[test]
fn a_damaged_document_counts_where_its_source_gives_none() {
    let mut damaged = looked();
    if let Ok(Some(report)) = &mut damaged.report {
        report.complaints.push((0, "it is damaged".to_owned()));
    }
    let warned = |document: Option<u64>| {
        let findings = of_sizes(&damaged, &[document]);
        let warned = findings
            .into_iter()
            .find(|finding| finding.verdict != Verdict::Ok);
        warned.map(|finding| finding.detail)
    };
    assert_eq!(warned(Some(1)), None);
    assert_eq!(warned(None).as_deref(), Some("key pair 1: it is damaged"));
}

#[test]
fn what_is_forgotten_is_warned_of() {
    assert_eq!(fleeting(0x0102_1994), Some("tmpfs, in memory"));
    assert_eq!(fleeting(0xef53), None);
    let fleeting = Looked {
        fleeting: fleeting(0x794c_7630),
        ..looked()
    };
    assert_eq!(verdicts(&fleeting, 0).last(), Some(&("kept", Verdict::Warning)));
    assert!(
        verdicts(&looked(), 0)
            .iter()
            .all(|(_, verdict)| *verdict == Verdict::Ok)
    );
}

#[test]
fn a_directory_that_is_not_there_is_made_where_it_can_be() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("a/b");
    assert_eq!(look(&directory, &[]).unmade, None);
    assert!(!place.path().join("a").exists());
    std::fs::write(place.path().join("file"), "").unwrap();
    assert!(
        look(&place.path().join("file/b"), &[]).report.is_err()
            || look(&place.path().join("file/b"), &[]).unmade.is_some()
    );
    // Rights say nothing of it.
    std::os::unix::fs::symlink("/nonexistent", place.path().join("link")).unwrap();
    for below in ["link", "link/b"] {
        let unmade = look(&place.path().join(below), &[]).unmade;
        assert!(unmade.is_some_and(|why| why.contains("leads nowhere")), "{below}");
    }
    let unmade = look(Path::new("/proc/edge-proxy"), &[]).unmade;
    assert!(unmade.is_some_and(|why| why.contains("in /proc: cannot make a directory")));
}
