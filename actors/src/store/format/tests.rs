use proptest::prelude::*;

use super::*;

pub(in crate::store) fn environment() -> KeyDigest {
    KeyDigest::of(&EnvironmentKey::new("client-key"))
}

/// One with this served number.
pub(in crate::store) fn stored(served: i64, document: &[u8]) -> Stored {
    Stored {
        environment: environment(),
        source: SourceDigest::of("http://a", &[EnvironmentKey::new("ser.a")]),
        served: UpdatedAt::from_micros(served),
        upstream: None,
        told: Some(UpdatedAt::from_micros(served)),
        is_unsettled: false,
        is_date_exact: true,
        document: Bytes::copy_from_slice(document),
    }
}

pub(in crate::store) fn file(stored: &Stored) -> Bytes {
    let mut file = head(stored);
    file.extend_from_slice(&stored.document);
    file.into()
}

fn any_stored() -> impl Strategy<Value = Stored> {
    let number = || proptest::option::of(any::<i64>().prop_map(UpdatedAt::from_micros));
    let document = proptest::collection::vec(any::<u8>(), 0..200);
    (any::<i64>(), number(), number(), any::<[bool; 2]>(), document).prop_map(
        |(served, upstream, told, [is_unsettled, is_date_exact], document)| Stored {
            upstream,
            told,
            is_unsettled,
            is_date_exact,
            ..stored(served, &document)
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read(stored in any_stored()) {
        prop_assert_eq!(read(&file(&stored), environment()), Ok(stored));
    }

    #[test]
    fn a_torn_one_is_damaged(stored in any_stored(), part in 0.0_f64..1.0) {
        let whole = file(&stored);
        let torn = whole.slice(..(whole.len() as f64 * part) as usize);
        prop_assert_eq!(read(&torn, environment()), Err(Unreadable::Damaged));
    }

    #[test]
    fn a_changed_bit_is_noticed(stored in any_stored(), place: prop::sample::Index, bit in 0..8) {
        let mut changed = file(&stored).to_vec();
        let place = place.index(changed.len());
        changed[place] ^= 1_u8 << bit;
        prop_assert!(read(&changed.into(), environment()).is_err());
    }

    #[test]
    fn whatever_the_bytes_there_is_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut behind = file(&stored(1, b"")).to_vec();
        behind.truncate(22);
        behind.extend_from_slice(&bytes);
        prop_assert!(read(&behind.into(), environment()).is_err());
        prop_assert!(read(&bytes.into(), environment()).is_err());
    }
}

#[test]
fn what_is_appended_is_noticed() {
    let mut longer = file(&stored(1, b"{}")).to_vec();
    longer.push(b' ');
    assert_eq!(read(&longer.into(), environment()), Err(Unreadable::Damaged));
}

#[test]
fn other_versions_and_other_files_are_told_apart() {
    let ours = String::from_utf8_lossy(&file(&stored(1, b"{}"))[..22]).into_owned();
    assert_eq!(ours, "edge-proxy document 1\n");
    for (bytes, expected) in [
        ("", Unreadable::Damaged),
        ("edge-proxy docu", Unreadable::Damaged),
        ("edge-proxy document ", Unreadable::Damaged),
        ("edge-proxy document 1", Unreadable::Damaged),
        ("edge-proxy document 1\n", Unreadable::Damaged),
        ("edge-proxy document 0\nrest", Unreadable::Version(0)),
        ("edge-proxy document 2\nrest", Unreadable::Version(2)),
        ("edge-proxy document 99999999999\nrest", Unreadable::Damaged),
        ("edge-proxy analytics 1\n", Unreadable::Foreign),
        ("{\"updated_at\":1}", Unreadable::Foreign),
    ] {
        let bytes = Bytes::from_static(bytes.as_bytes());
        assert_eq!(read(&bytes, environment()), Err(expected), "{bytes:?}");
    }
    let other = KeyDigest::of(&EnvironmentKey::new("other"));
    assert_eq!(read(&file(&stored(1, b"{}")), other), Err(Unreadable::Foreign));
}

#[test]
fn a_source_is_its_url_and_its_keys_in_their_order() {
    let keys = |keys: &[&str]| keys.iter().copied().map(EnvironmentKey::new).collect::<Vec<_>>();
    let source = |url: &str, list: &[&str]| SourceDigest::of(url, &keys(list));
    assert_eq!(source("http://a", &["ser.a"]), source("http://a", &["ser.a"]));
    for other in [
        source("http://b", &["ser.a"]),
        source("http://a", &["ser.b"]),
        source("http://a", &["ser.a", "ser.b"]),
        source("http://a", &["ser.b", "ser.a"]),
        source("http://a", &[]),
    ] {
        assert_ne!(source("http://a", &["ser.a"]), other);
    }
}
