//! What the command line prints of itself: help, man pages, completions.
use super::*;

fn printed(args: &[&str]) -> String {
    match parse_all(args) {
        Ok(Request::Print(text)) => text,
        other => panic!("{args:?}: {other:?}"),
    }
}

#[test]
fn help_and_version_win_over_what_follows() {
    for args in [
        &["--help"][..],
        &["-h"],
        &["--check", "--help", "--unknown"],
        &["help"],
    ] {
        let help = printed(args);
        assert!(
            help.contains("Usage: edge-proxy") && help.contains("snapshot"),
            "{help}"
        );
    }
    for args in [
        &["health", "--help"][..],
        &["health", "-h", "--unknown"],
        &["help", "health"],
    ] {
        let help = printed(args);
        assert!(
            help.contains("Usage: edge-proxy health") && help.contains("--url <URL>"),
            "{help}"
        );
    }
    for args in [&["--version"][..], &["-V"], &["--version", "--unknown"]] {
        assert_eq!(
            printed(args),
            concat!("edge-proxy ", env!("CARGO_PKG_VERSION"), "\n")
        );
    }
    assert!(printed(&["health", "--version"]).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn help_has_exit_codes_and_variables_and_fits_a_terminal() {
    let help = printed(&["--help"]);
    for says in [
        "Exit codes:",
        "78",
        "143",
        "Environment variables:",
        "CONFIG_PATH",
        "ENVIRONMENT_KEY_PAIRS='[{",
    ] {
        assert!(help.contains(says), "{says}: {help}");
    }
    for line in help.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
}

#[test]
fn the_readme_has_every_command() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    for command in CommandLine::command().get_subcommands() {
        let name = command.get_name();
        let is_there = [format!("\n| `{name}` |"), format!("\n| `{name} ")];
        assert!(is_there.iter().any(|row| readme.contains(row)), "{name}");
    }
}

#[test]
fn completions_know_commands_and_options() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["completions", shell]);
        for word in ["edge-proxy", "health", "snapshot", "directory", "config"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

/// What a reader sees of a page, near enough.
fn plain(page: &str) -> String {
    page.replace("\\fB", "")
        .replace("\\fI", "")
        .replace("\\fR", "")
        .replace("\\-", "-")
}

#[test]
fn man_pages_have_what_help_has() {
    let page = plain(&printed(&["man"]));
    assert!(page.contains(".TH edge-proxy 1"), "{page}");
    for says in [
        ".SH \"EXIT STATUS\"",
        ".SH ENVIRONMENT",
        "--config",
        "edge-proxy-snapshot(1)",
        "CONFIG_PATH",
        "the configuration cannot be used",
    ] {
        assert!(page.contains(says), "{says}: {page}");
    }
    let commands = CommandLine::command();
    for command in commands.get_subcommands() {
        let name = command.get_name();
        let page = plain(&printed(&["man", name]));
        assert!(page.contains(&format!(".TH edge-proxy-{name} 1")), "{page}");
        assert!(page.contains("--help"), "{page}");
    }
    assert!(plain(&printed(&["man", "snapshot"])).contains("--directory"));
    // Lines that are copied are not filled, which would break words at hyphens.
    let (_, as_they_are) = page.split_once("\n.nf\n").expect("a block that is not filled");
    let (as_they_are, _) = as_they_are.split_once("\n.fi\n").expect("its end");
    assert_eq!(
        as_they_are.lines().count(),
        help::OPTION_EXAMPLES.len(),
        "{as_they_are}"
    );
}
