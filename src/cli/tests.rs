//! The command line: every form.
use std::path::PathBuf;

use clap::CommandFactory as _;

use super::*;

mod errors;
mod pages;

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
#[cfg(unix)]
fn a_value_that_is_no_unicode_is_named_by_its_option() {
    use std::os::unix::ffi::OsStringExt;
    let cases: &[(&[&[u8]], &str)] = &[
        (&[b"explain", b"--identifier", b"s3cret\xff"], "--identifier"),
        (&[b"explain", b"--identifier=s3cret\xff"], "--identifier"),
        (&[b"explain", b"--json", b"--trait", b"s3cret\xff=1"], "--trait"),
        (&[b"health", b"--url=\xff", b"--config", b"a"], "--url"),
        (&[b"man", b"\xff"], "argument 2"),
        (&[b"man", b"--", b"--s3cret\xff=1"], "argument 3"),
    ];
    for (args, name) in cases {
        let args = args.iter().map(|arg| OsString::from_vec(arg.to_vec()));
        let error = parse(args).unwrap_err();
        let said = format!("{name} must be text in UTF-8 (usage");
        assert!(error.to_string().starts_with(&said), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error:?}");
    }
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
