//! The real program's command line: what it prints, what it does without a command, and what it ends with.
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::program::Program;

use crate::harness::{CLIENT_KEY, Proxy, SERVER_KEY, command, fixture};

fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    command(folder.path()).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with a configuration that serves a file, on any port.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let config = json!({
        "environment_key_pairs": [
            {"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY, "document_path": "environment.json"},
        ],
        "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0},
    });
    let write = |name: &str, content: Value| {
        std::fs::write(folder.path().join(name), content.to_string()).unwrap();
    };
    write("config.json", config);
    write("environment.json", fixture());
    folder
}

#[test]
fn serve_is_what_it_does_without_a_command() {
    for arguments in [
        &[][..],
        &["serve"],
        &["--config", "config.json"],
        &["serve", "--config=config.json"],
    ] {
        let folder = folder();
        let program = Program::start(command(folder.path()).args(arguments));
        let mut proxy = Proxy::of(program, folder);
        proxy.signal("TERM");
        let (status, log) = proxy.wait();
        assert_eq!(status.code(), Some(0), "{arguments:?}: {log}");
    }
}

#[test]
fn check_is_a_command_and_an_option() {
    let folder = folder();
    let outputs = [
        &["check"][..],
        &["--check"],
        &["check", "--config", "config.json"],
    ]
    .map(|arguments| run(&folder, arguments));
    for output in &outputs {
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(shown["server"]["host"], "127.0.0.1");
        assert_eq!(output.stdout, outputs[0].stdout);
    }
}

#[test]
fn the_completions_of_bash_are_a_script() {
    let printed = run(&folder(), &["completions", "bash"]);
    assert_eq!(printed.status.code(), Some(0));
    let mut bash = Command::new("bash")
        .arg("-c")
        // As bash asks at `edge-proxy sn`, and at `edge-proxy health --u`.
        .arg(
            "set -e; source /dev/stdin; [[ $(complete -p edge-proxy) =~ -F\\ ([^ ]+) ]]; function=${BASH_REMATCH[1]}; \
             COMP_WORDS=(edge-proxy sn); COMP_CWORD=1; $function edge-proxy sn edge-proxy; echo \"${COMPREPLY[@]}\"; \
             COMP_WORDS=(edge-proxy health --u); COMP_CWORD=2; $function edge-proxy --u health; echo \"${COMPREPLY[@]}\"",
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    bash.stdin.take().unwrap().write_all(&printed.stdout).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert_eq!(
        text(&output.stdout),
        "snapshot\n--url\n",
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_man_page_is_printed_for_the_program_and_for_each_command() {
    let folder = folder();
    let page = run(&folder, &["man"]);
    assert_eq!(page.status.code(), Some(0));
    assert!(text(&page.stdout).contains(".TH edge-proxy 1"));
    let page = run(&folder, &["man", "health"]);
    assert!(text(&page.stdout).contains(".TH edge-proxy-health 1"));
    let none = run(&folder, &["man", "nonsense"]);
    assert_eq!(none.status.code(), Some(64));
    assert_eq!(text(&none.stderr).lines().count(), 1);
}

#[test]
fn a_misspelt_command_or_option_is_told_with_what_was_meant() {
    let folder = folder();
    for (arguments, says) in [
        (&["snapshots"][..], "did you mean snapshot?"),
        (&["--confg=x"], "did you mean --config?"),
        (&["health", "--ur=x"], "did you mean --url?"),
        (
            &["--config", "config.json", "health"],
            "argument 3 is no option, and no command, which comes first",
        ),
    ] {
        let output = run(&folder, arguments);
        let line = text(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{line}");
        assert!(line.contains(says), "{arguments:?}: {line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(output.stdout.is_empty());
    }
}

/// What prints something, in a folder with a configuration.
const PRINTING: [&[&str]; 7] = [
    &["--version"],
    &["--help"],
    &["check"],
    &["completions", "bash"],
    &["man"],
    &["doctor"],
    &["explain"],
];

#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_written_is_a_failure() {
    use crate::harness::ProxyOptions;
    use std::fs::File;
    let folder = folder();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let only_read = || File::open("/dev/null").unwrap();
    for arguments in PRINTING {
        for out in [full(), only_read()] {
            let mut printing = command(folder.path());
            let output = printing.args(arguments).stdout(out).output().unwrap();
            let line = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {line}");
            assert!(line.contains(" cannot be written: "), "{arguments:?}: {line}");
        }
    }
    let proxy = Proxy::start(ProxyOptions::default());
    let url = format!("http://{}/proxy/health", proxy.address);
    let mut health = command(folder.path());
    let output = health.args(["health", "--url", &url]).stdout(full()).output();
    assert_eq!(
        output.unwrap().status.code(),
        Some(0),
        "it is healthy all the same"
    );
}

/// The system would end the program by a signal, without a word.
#[test]
fn what_goes_past_the_limit_of_a_file_s_size_is_a_failure() {
    let folder = folder();
    let nothing = format!("ulimit -f 0 && exec {} \"$@\"", env!("CARGO_BIN_EXE_edge-proxy"));
    for arguments in PRINTING {
        let out = std::fs::File::create(folder.path().join("out")).unwrap();
        let mut limited = Command::new("sh");
        let limited = limited.args(["-c", &nothing, "sh"]).args(arguments).stdout(out);
        let limited = limited.env_clear().env("TMPDIR", folder.path());
        let output = limited.current_dir(folder.path()).output().unwrap();
        let line = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {line}");
        assert!(
            line.contains(" cannot be written: File too large"),
            "{arguments:?}: {line}"
        );
    }
}

#[test]
fn a_reader_that_has_gone_is_no_failure() {
    let folder = folder();
    for arguments in PRINTING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut printing = command(folder.path());
        let output = printing.args(arguments).stdout(writer).output().unwrap();
        assert_eq!(text(&output.stderr), "", "{arguments:?}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}
