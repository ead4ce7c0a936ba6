//! Names of upstream that are not found, and addresses that are dead.
//!
//! The program reads a hosts file of its own, in a mount namespace. Where the system allows none, the rows say so.
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use test_support::findings::Findings;
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};

use super::outage::Obstacle;
use super::{Oddity, Outage, row};
use crate::Row;
use crate::harness::environments::good;

/// Upstream's.
const NAME: &str = "api.flagsmith.test";
/// An address of this machine where nobody listens unless a row says so.
const OTHER: [u8; 4] = [127, 0, 0, 2];
const NO_NAME: &str = "127.0.0.1 localhost\n";
const ONE_ADDRESS: &str = "127.0.0.1 localhost\n127.0.0.1 api.flagsmith.test\n";
const TWO_ADDRESSES: &str =
    "127.0.0.1 localhost\n127.0.0.2 api.flagsmith.test\n127.0.0.1 api.flagsmith.test\n";

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("name unknown", |findings| {
            where_names_are_ours(findings, |findings| {
                Outage::on_the_way(is_unknown, &["the host's name is not found"])
                    .by_name(NAME)
                    .with_command(|command| with_hosts(command, NO_NAME))
                    .run(findings)
            })
        }),
        row("half of the addresses refuse", |findings| {
            where_names_are_ours(findings, |findings| half_dead().run(findings))
        }),
        row("half of the addresses swallow", |findings| {
            where_names_are_ours(findings, |findings| half_dead().beside(swallows).run(findings))
        }),
    ]
}

/// Ever new connections, to a name with a dead address.
fn half_dead() -> Oddity {
    let closing = |request: &ReceivedRequest, version| -> Answer {
        good(request, version).header("Connection", "close").closing()
    };
    Oddity::answering(closing)
        .by_name(NAME)
        .with_command(|command| with_hosts(command, TWO_ADDRESSES))
}

/// The program in a mount namespace with these hosts and no name service.
fn with_hosts(command: &mut Command, hosts: &str) {
    let folder = command.get_current_dir().expect("a folder").to_owned();
    fs::write(folder.join("hosts"), hosts).unwrap();
    fs::write(folder.join("nsswitch.conf"), "hosts: files\n").unwrap();
    let program = command.get_program().to_owned();
    *command = in_namespace(&folder, r#"exec "$0""#);
    command.arg(program);
}

/// A shell in which the folder's files are the system's.
fn in_namespace(folder: &Path, script: &str) -> Command {
    let mounts = "mount --bind hosts /etc/hosts && mount --bind nsswitch.conf /etc/nsswitch.conf";
    let mut command = Command::new("unshare");
    command
        .args(["-Urm", "sh", "-c", &format!("{mounts} && {script}")])
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin",
        )
        .current_dir(folder);
    command
}

fn where_names_are_ours(
    findings: &mut Findings,
    run: fn(&mut Findings) -> Result<(), String>,
) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    for file in ["hosts", "nsswitch.conf"] {
        fs::write(folder.path().join(file), "").unwrap();
    }
    let mut trial = in_namespace(folder.path(), "exit 0");
    let status = trial.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if status.is_ok_and(|status| status.success()) {
        return run(findings);
    }
    findings.clients("not tried: this system allows no mount namespace (unshare -Urm)");
    Ok(())
}

/// The name is known no more.
struct Unknown(PathBuf);

impl Drop for Unknown {
    fn drop(&mut self) {
        fs::write(&self.0, ONE_ADDRESS).unwrap();
    }
}

fn is_unknown(upstream: &ScriptedUpstream, folder: &Path) -> Obstacle {
    let hosts = folder.join("hosts");
    fs::write(&hosts, NO_NAME).unwrap();
    // Connections that are kept need no name.
    upstream.go_down();
    Box::new(Unknown(hosts))
}

/// The other address takes as many connections as it queues, and answers no further attempt, as a route that swallows packets.
fn swallows(upstream: &ScriptedUpstream, _: &Path) -> Obstacle {
    const QUEUE: i32 = 1;
    let address = SocketAddr::from((OTHER, upstream.address().port()));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&address.into()).unwrap();
    socket.listen(QUEUE).unwrap();
    let mut queued = Vec::new();
    while let Ok(connection) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        queued.push(connection);
    }
    Box::new((socket, queued))
}
