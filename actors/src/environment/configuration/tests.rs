use super::*;

fn polled(client_side_key: &str, server_side_keys: &[&str]) -> EnvironmentOptions {
    EnvironmentOptions {
        client_side_key: EnvironmentKey::new(client_side_key),
        server_side_keys: server_side_keys
            .iter()
            .map(|key| EnvironmentKey::new(*key))
            .collect(),
        source: DocumentSource::Upstream,
        fallback: None,
    }
}

fn from_file(client_side_key: &str, path: &str) -> EnvironmentOptions {
    EnvironmentOptions {
        source: DocumentSource::File(path.into()),
        ..polled(client_side_key, &[])
    }
}

fn ids(configuration: &Configuration) -> Vec<String> {
    let environments = configuration.environments().iter();
    environments
        .map(|environment| environment.id.to_string())
        .collect()
}

/// Replaces, and shows what was added, moved and removed.
fn replace(configuration: &mut Configuration, list: Vec<EnvironmentOptions>) -> [Vec<String>; 3] {
    let Changes {
        added,
        moved,
        removed,
    } = configuration.replace(list);
    [added, moved, removed].map(|ids| ids.iter().map(ToString::to_string).collect())
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn an_environment_keeps_its_id_wherever_it_stands_and_no_id_comes_twice() {
    let mut configuration = Configuration::default();
    let (a, b, c) = (
        polled("a", &["ser.a"]),
        polled("b", &["ser.b"]),
        polled("c", &["ser.c"]),
    );
    let first = replace(&mut configuration, vec![a.clone(), b.clone()]);
    assert_eq!(first, [vec!["1".to_owned(), "2".to_owned()], none(), none()]);
    let swapped = replace(&mut configuration, vec![c.clone(), b.clone(), a.clone()]);
    assert_eq!(swapped, [vec!["3".to_owned()], none(), none()]);
    assert_eq!(ids(&configuration), ["3", "2", "1"]);
    let shorter = replace(&mut configuration, vec![a.clone()]);
    assert_eq!(shorter, [none(), none(), vec!["3".to_owned(), "2".to_owned()]]);
    let again = replace(&mut configuration, vec![b, a, c]);
    assert_eq!(again, [vec!["4".to_owned(), "5".to_owned()], none(), none()]);
    assert_eq!(ids(&configuration), ["4", "1", "5"]);
    assert_eq!(replace(&mut configuration, Vec::new())[2].len(), 3);
}

#[test]
fn other_keys_or_another_source_move_an_environment() {
    let mut configuration = Configuration::default();
    replace(&mut configuration, vec![polled("a", &["ser.a"])]);
    for (options, is_moved) in [
        (polled("a", &["ser.a", "ser.next"]), true),
        (polled("a", &["ser.a", "ser.next"]), false),
        // A corrected client-side key opens the same documents.
        (polled("corrected", &["ser.next", "ser.a"]), true),
        (polled("again", &["ser.next", "ser.a"]), false),
        (from_file("again", "document.json"), true),
        (from_file("by file", "document.json"), false),
        (from_file("by file", "other.json"), true),
        (polled("by file", &["ser.new"]), true),
    ] {
        let [added, moved, removed] = replace(&mut configuration, vec![options.clone()]);
        assert_eq!((added, removed), (none(), none()), "{options:?}");
        assert_eq!(moved.len(), usize::from(is_moved), "{options:?}");
    }
    assert_eq!(ids(&configuration), ["1"]);
    let [added, _, removed] = replace(&mut configuration, vec![polled("other", &["ser.other"])]);
    assert_eq!((added, removed), (vec!["2".to_owned()], vec!["1".to_owned()]));
}

#[test]
fn another_upstream_moves_what_is_polled_and_stays() {
    let mut configuration = Configuration::default();
    let first = vec![
        polled("a", &["ser.a"]),
        polled("b", &["ser.b"]),
        from_file("c", "c.json"),
    ];
    configuration.replace(first);
    let rotated = polled("b", &["ser.rotated"]);
    let list = vec![
        polled("a", &["ser.a"]),
        rotated,
        from_file("c", "c.json"),
        polled("d", &["ser.d"]),
    ];
    let mut changes = configuration.replace(list);
    changes.move_polled(&configuration);
    let ids: Vec<_> = changes.moved.iter().map(ToString::to_string).collect();
    assert_eq!(
        ids,
        ["2", "1"],
        "each once, no file, and none that is fetched anyway"
    );
}

#[test]
fn the_client_side_key_says_which_environment_it_is() {
    let mut configuration = Configuration::default();
    replace(
        &mut configuration,
        vec![polled("a", &["ser.1"]), polled("b", &["ser.2"])],
    );
    // The pairs' server-side keys were mixed up.
    let [added, moved, removed] = replace(
        &mut configuration,
        vec![polled("b", &["ser.1"]), polled("a", &["ser.2"])],
    );
    assert_eq!((added, removed), (none(), none()));
    assert_eq!(moved, ["2", "1"]);
    assert_eq!(ids(&configuration), ["2", "1"]);
}

#[test]
fn whose_a_document_is_follows_the_configuration() {
    let mut configuration = Configuration::default();
    let (a, b) = (polled("a", &["ser.a"]), polled("b", &["ser.b"]));
    let ids = configuration.replace(vec![a.clone(), b.clone(), a]).added;
    let told = |configuration: &Configuration, id: usize, named: &str| {
        let foreign = configuration.foreign(ids[id], named);
        foreign.map(|foreign| foreign.to_string())
    };
    let told_of_a = told(&configuration, 1, "a").unwrap();
    assert!(told_of_a.contains("that of environment 1,"), "{told_of_a}");
    assert_eq!(told(&configuration, 1, "b"), None);
    configuration.replace(vec![polled("c", &["ser.c"]), b]);
    assert!(
        told(&configuration, 1, "c")
            .unwrap()
            .contains("that of environment 4,")
    );
    let told_of_a = told(&configuration, 1, "a").unwrap();
    assert!(!told_of_a.contains("that of"), "{told_of_a}");
    assert_eq!(told(&configuration, 0, "b"), None, "it is configured no longer");
}

#[test]
fn a_key_that_is_given_twice_opens_the_first() {
    let mut configuration = Configuration::default();
    let twice = polled("a", &["ser.a"]);
    let changes = configuration.replace(vec![twice.clone(), twice]);
    assert_eq!(changes.added.len(), 2);
    let first = changes.added.first().copied();
    let opened = configuration.key_table().resolve(b"ser.a");
    assert_eq!(opened.map(|(id, _)| id), first);
    assert!(
        configuration
            .options(EnvironmentId::after(changes.added.last().copied()))
            .is_none()
    );
}

/// So many pairs, each with a second server-side key where it is rotated.
fn many(pairs: usize, is_rotated: bool) -> Vec<EnvironmentOptions> {
    let pair = |number: usize| {
        let (client_side, server_side) = (format!("c{number}"), format!("ser.{number}"));
        let next = format!("ser.next.{number}");
        let keys = [server_side.as_str(), next.as_str()];
        polled(&client_side, &keys[..1 + usize::from(is_rotated)])
    };
    (0..pairs).map(pair).collect()
}

/// The comparisons of keys and of environments that `work` takes.
fn comparisons(work: impl FnOnce()) -> usize {
    let before = crate::keys::comparisons::made();
    work();
    crate::keys::comparisons::made() - before
}

#[test]
fn what_a_reload_takes_grows_as_the_number_of_pairs_does() {
    const PAIRS: usize = 5_000;
    let corrected = many(PAIRS, true).into_iter().map(|pair| EnvironmentOptions {
        client_side_key: EnvironmentKey::new(format!("{}.corrected", pair.client_side_key.reveal())),
        ..pair
    });
    let mut reversed = many(PAIRS, true);
    reversed.reverse();
    let mut configuration = Configuration::default();
    for (list, [added, moved, removed]) in [
        (many(PAIRS, false), [PAIRS, 0, 0]),
        (reversed, [0, PAIRS, 0]),
        (corrected.collect(), [0, 0, 0]),
        (many(2, false), [0, 2, PAIRS - 2]),
        (Vec::new(), [0, 0, 2]),
    ] {
        let mut changes = Changes::default();
        let all = comparisons(|| {
            changes = configuration.replace(list);
            configuration.key_table();
        });
        let counts = [&changes.added, &changes.moved, &changes.removed].map(Vec::len);
        assert_eq!(counts, [added, moved, removed]);
        let followed = comparisons(|| changes.move_polled(&configuration));
        // Each key is looked for a few times, and compared with few others each time.
        assert!(all + followed < 25 * PAIRS, "{all} and {followed}");
    }
}

#[test]
fn which_environment_it_is_follows_their_order() {
    let mut configuration = Configuration::default();
    let list = vec![
        polled("a", &["ser.1", "ser.2"]),
        polled("b", &["ser.2"]),
        from_file("c", "c.json"),
        from_file("d", "c.json"),
    ];
    replace(&mut configuration, list);
    // The first that shares a key; a file's keys say nothing to another file.
    let mut by_file = from_file("w", "other.json");
    by_file.server_side_keys = vec![EnvironmentKey::new("ser.1")];
    let list = vec![
        polled("x", &["ser.2"]),
        polled("y", &["ser.9", "ser.2"]),
        from_file("z", "c.json"),
        by_file.clone(),
    ];
    replace(&mut configuration, list);
    assert_eq!(ids(&configuration), ["1", "2", "3", "5"]);
    let mut other_file = by_file;
    other_file.source = DocumentSource::File("another.json".into());
    other_file.client_side_key = EnvironmentKey::new("v");
    replace(&mut configuration, vec![other_file, polled("u", &["ser.1"])]);
    assert_eq!(ids(&configuration), ["6", "5"]);
}
