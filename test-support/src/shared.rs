//! Recordings and cases that do not belong to the repository and lie beside it.
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where the folder is, if not beside the repository.
const DIRECTORY: &str = "EDGE_PROXY_SHARED_DIR";

/// Set (to anything but nothing or `0`), tests go without the folder, in CI too.
const WITHOUT: &str = "EDGE_PROXY_WITHOUT_SHARED";

/// A folder below `EDGE_PROXY_SHARED_DIR`, or below `../shared` as seen from the repository's root. `None`, with a notice
/// on standard error: the test is to be skipped, because the folder is absent or `EDGE_PROXY_WITHOUT_SHARED` is set.
///
/// # Panics
/// Where the folder is absent in CI (`CI` is set) without `EDGE_PROXY_WITHOUT_SHARED`.
pub fn folder(name: &str) -> Option<PathBuf> {
    match find(name, |variable| std::env::var_os(variable)) {
        Found::Here(folder) => Some(folder),
        Found::LeftOut(notice) => {
            eprintln!("skipped: {notice}");
            None
        }
        Found::Missing(notice) => panic!("{notice}"),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Here(PathBuf),
    LeftOut(String),
    Missing(String),
}

fn find(name: &str, variable: impl Fn(&str) -> Option<OsString>) -> Found {
    if variable(WITHOUT).is_some_and(|value| !value.is_empty() && value != "0") {
        return Found::LeftOut(format!("{WITHOUT} is set, so nothing of {name} is compared"));
    }
    let shared = variable(DIRECTORY).map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let folder = shared.join(name);
    if folder.is_dir() {
        return Found::Here(folder);
    }
    let notice = format!("{} is no folder", folder.display());
    if variable("CI").is_some() {
        Found::Missing(format!(
            "{notice}; set {DIRECTORY} to where it is, or {WITHOUT}=1 to go without it"
        ))
    } else {
        Found::LeftOut(notice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(variables: &[(&str, &str)]) -> Found {
        find("src", |wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_folder_is_needed_in_ci_unless_it_is_left_out_by_name() {
        let here = env!("CARGO_MANIFEST_DIR");
        let expected = Found::Here(Path::new(here).join("src"));
        assert_eq!(found(&[(DIRECTORY, here)]), expected);
        assert_eq!(
            found(&[(DIRECTORY, here), ("CI", "true"), (WITHOUT, "0")]),
            expected
        );
        assert!(matches!(found(&[(DIRECTORY, "/none")]), Found::LeftOut(_)));
        assert!(matches!(
            found(&[(DIRECTORY, "/none"), ("CI", "true")]),
            Found::Missing(_)
        ));
        for directory in ["/none", here] {
            let left_out = found(&[(DIRECTORY, directory), ("CI", "true"), (WITHOUT, "1")]);
            assert!(matches!(left_out, Found::LeftOut(_)), "{left_out:?}");
        }
    }
}
