//! What is said of a command line that cannot be understood.
use super::*;

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
