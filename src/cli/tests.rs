//! The command line: every form, and what is said of the others.
use std::path::PathBuf;

use clap::CommandFactory as _;

use super::*;

fn parse_all(args: &[&str]) -> Result<Request, UsageError> {
    parse(args.iter().map(OsString::from))
}

fn configuration(path: Option<&str>) -> ConfigurationArgument {
    let path = path.map(PathBuf::from);
    ConfigurationArgument { path }
}

fn serve(path: Option<&str>) -> Command {
    let configuration = configuration(path);
    Command::Serve(ServeArguments { configuration })
}

fn check(path: Option<&str>) -> Command {
    let configuration = configuration(path);
    Command::Check(CheckArguments { configuration })
}

fn health(path: Option<&str>, url: Option<&str>) -> Command {
    Command::Health(HealthArguments {
        configuration: configuration(path),
        url: url.map(str::to_owned),
    })
}

fn snapshot(path: Option<&str>, directory: Option<&str>) -> Command {
    Command::Snapshot(SnapshotArguments {
        configuration: configuration(path),
        directory: directory.map(PathBuf::from),
    })
}

fn doctor(path: Option<&str>, json: bool) -> Command {
    let configuration = configuration(path);
    Command::Doctor(DoctorArguments { configuration, json })
}

#[test]
fn what_clap_is_told_is_sound() {
    CommandLine::command().debug_assert();
}

#[test]
fn reads_every_form() {
    let path = Some("a b.json");
    let cases: &[(&[&str], Command)] = &[
        (&[], serve(None)),
        (&["--config", "a b.json"], serve(path)),
        (&["--config=a b.json"], serve(path)),
        // What begins with a hyphen comes so: after a blank it is an option, lest one that is forgotten takes the next for its value.
        (&["--config=-x.json"], serve(Some("-x.json"))),
        (&["serve"], serve(None)),
        (&["serve", "--config", "a b.json"], serve(path)),
        (&["--check"], check(None)),
        (&["--check", "--config", "a b.json"], check(path)),
        (&["--config", "a b.json", "--check"], check(path)),
        (&["check"], check(None)),
        (&["check", "--config=a b.json"], check(path)),
        (&["health"], health(None, None)),
        (&["health", "--config", "a b.json"], health(path, None)),
        (
            &["health", "--url=http://a/?b=c"],
            health(None, Some("http://a/?b=c")),
        ),
        (&["health", "--url", "http://a/"], health(None, Some("http://a/"))),
        (&["snapshot"], snapshot(None, None)),
        (
            &["snapshot", "--config", "a b.json", "--directory=d"],
            snapshot(path, Some("d")),
        ),
        (&["doctor"], doctor(None, false)),
        (&["doctor", "--json", "--config", "a b.json"], doctor(path, true)),
    ];
    for (args, expected) in cases {
        assert_eq!(parse_all(args), Ok(Request::Run(expected.clone())), "{args:?}");
    }
}

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
fn what_cannot_be_understood_is_named_without_its_value() {
    let option = |name: &str, near: Option<&str>| UsageError::UnknownOption {
        name: name.to_owned(),
        near: near.map(str::to_owned),
    };
    let at = |place: usize| UsageError::Unexpected { place, near: None };
    let missing = |name: &str| UsageError::MissingValue(name.to_owned());
    let repeated = |name: &str| UsageError::Repeated(name.to_owned());
    let cases: &[(&[&str], UsageError)] = &[
        (&["health", "--check"], option("--check", None)),
        (&["health", "health"], at(2)),
        (&["health", "--url"], missing("--url")),
        (&["health", "--url="], missing("--url")),
        (&["health", "--url=a", "--url=b"], repeated("--url")),
        (&["--url", "http://a/"], option("--url", None)),
        (&["--config", "a", "health"], at(3)),
        (&["--config", "health", "health"], at(3)),
        (&["snapshot", "--check"], option("--check", None)),
        (
            &["snapshot", "--directory", "a", "--directory", "b"],
            repeated("--directory"),
        ),
        (&["--directory", "a"], option("--directory", None)),
        (&["--config"], missing("--config")),
        (&["--config="], missing("--config")),
        (&["--config", ""], missing("--config")),
        (&["--config", "--check"], missing("--config")),
        (&["--config", "-x.json"], missing("--config")),
        (&["--check", "--config", "-ser.secret"], missing("--config")),
        (&["check", "--config", "-x.json"], missing("--config")),
        (&["health", "--url", "-ser.secret"], missing("--url")),
        (&["snapshot", "--directory", "--secret"], missing("--directory")),
        (&["-x.json"], option("-x", None)),
        (&["--check", "-x.json"], option("-x", None)),
        (&["--config", "a", "--config", "b"], repeated("--config")),
        (&["--check=1"], UsageError::NeedlessValue("--check".to_owned())),
        (&["--confg", "a"], option("--confg", Some("--config"))),
        (&["--port", "1"], option("--port", None)),
        (&["--key=ser.secret"], option("--key", None)),
        (&["-k=ser.secret"], option("-k", None)),
        (&["health", "--", "--key=ser.secret"], option("--key", None)),
        (&["--check", "ser.secret"], at(2)),
        (&["--", "--key=ser.secret"], at(2)),
        (
            &["ser.secret"],
            UsageError::Unexpected {
                place: 1,
                near: Some("serve".to_owned()),
            },
        ),
        (
            &["helth"],
            UsageError::Unexpected {
                place: 1,
                near: Some("health".to_owned()),
            },
        ),
        (&[""], at(1)),
        (&["man", "ser.secret"], UsageError::UnknownCommand),
        (&["completions"], UsageError::Missing("<SHELL>".to_owned())),
        (
            &["completions", "ser.secret"],
            UsageError::InvalidValue {
                name: "<SHELL>".to_owned(),
                problem: "must be one of bash, elvish, fish, powershell, zsh".to_owned(),
            },
        ),
    ];
    for (args, expected) in cases {
        let error = parse_all(args).expect_err("it cannot be understood");
        assert_eq!(&error, expected, "{args:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
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

/// Every line of up to three of these words, in which a key stands wherever one may have slipped.
#[test]
fn no_command_line_repeats_a_value() {
    let words = [
        "health",
        "man",
        "completions",
        "--config",
        "--url",
        "--check",
        "--",
        "ser.s3cret",
        "--check=ser.s3cret",
        "--key=ser.s3cret",
        "-k=ser.s3cret",
        "-hser.s3cret",
        "--config=",
    ];
    let mut lines = vec![Vec::new()];
    for _ in 0..3 {
        let longer = lines
            .iter()
            .flat_map(|line| words.map(|word| [line.as_slice(), &[word]].concat()));
        lines = longer.chain([Vec::new()]).collect();
    }
    let mut refused = 0;
    for line in lines {
        if let Err(error) = parse_all(&line) {
            let said = format!("{error} {error:?}");
            assert!(!said.contains("s3cret"), "{line:?}: {said}");
            refused += 1;
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn an_option_and_its_value_in_one_argument_are_told_apart() {
    let said = parse_all(&["--config ser.s3cret"]).unwrap_err().to_string();
    assert!(
        said.starts_with("unknown option \"--config\" with more behind it"),
        "{said}"
    );
    assert!(
        !said.contains("s3cret") && !said.contains("did you mean"),
        "{said}"
    );
}

#[test]
fn errors_are_one_line_with_the_usage() {
    for error in [
        UsageError::UnknownOption {
            name: "--a\nb".to_owned(),
            near: None,
        },
        UsageError::MissingValue("--config".to_owned()),
        UsageError::Repeated("--url".to_owned()),
        UsageError::Other,
    ] {
        let line = error.to_string();
        assert!(!line.contains('\n') && line.contains("--config PATH"), "{line}");
    }
}

#[test]
#[cfg(unix)]
fn a_path_need_not_be_unicode() {
    use std::os::unix::ffi::OsStringExt;
    let path = OsString::from_vec(vec![b'a', 0xff]);
    let configuration = ConfigurationArgument {
        path: Some(PathBuf::from(path.clone())),
    };
    let request = parse([OsString::from("--config"), path]);
    assert_eq!(
        request,
        Ok(Request::Run(Command::Serve(ServeArguments { configuration })))
    );
    for args in [vec![0xff], b"--a\xff=b\xff".to_vec()] {
        assert!(parse([OsString::from_vec(args)]).is_err());
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

#[derive(Debug, Parser)]
struct Exclusive {
    #[arg(long, conflicts_with = "url")]
    alone: bool,
    #[arg(long)]
    url: Option<String>,
}

#[test]
fn options_that_exclude_each_other_are_named() {
    let read = |args: [&str; 3]| Exclusive::try_parse_from([&["a"], args.as_slice()].concat());
    let refused = |args| UsageError::new(&read(args).unwrap_err(), || 0).to_string();
    let said = refused(["--alone", "--url", "s3cret"]);
    assert!(
        said.starts_with("--alone and --url exclude each other ("),
        "{said}"
    );
    let said = refused(["--url=s3cret", "--url", "s3cret"]);
    assert!(said.starts_with("--url is given twice ("), "{said}");
}

/// The two whose commands other rooms have.
#[derive(Debug, Parser)]
struct Explained {
    #[command(flatten)]
    explain: ExplainArguments,
}

#[test]
fn explain_takes_traits_and_shows_neither_them_nor_the_identifier() {
    let read = |args: &[&str]| Explained::try_parse_from([&["explain"], args].concat());
    let explained = read(&[
        "--environment",
        "Production",
        "--identifier=s3cret-name",
        "--trait=plan=s3cret-pro",
        "--trait",
        "age=18",
        "--feature",
        "banner",
        "--json",
    ])
    .unwrap();
    let shown = format!("{explained:?}");
    assert!(!shown.contains("s3cret") && shown.contains("banner"), "{shown}");
    let ExplainArguments {
        environment,
        identifier,
        traits,
        json,
        ..
    } = explained.explain;
    assert_eq!(environment.as_deref(), Some("Production"));
    assert_eq!(identifier.as_deref(), Some("s3cret-name"));
    assert!(traits == ["plan=s3cret-pro", "age=18"].map(|text| TraitArgument::parse(text).unwrap()));
    assert!(json);

    let refused = |args: &[&str]| UsageError::new(&read(args).unwrap_err(), || 0);
    let expected = UsageError::InvalidValue {
        name: "--trait".to_owned(),
        problem: "must be KEY=VALUE".to_owned(),
    };
    assert_eq!(refused(&["--trait", "s3cret"]), expected);
}
