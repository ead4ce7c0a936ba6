//! Whoever reads standard error stalls: flags go on, and nothing of it lasts.
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use test_support::documents::FIXTURE;

use crate::harness::{CLIENT_KEY, Connection, Request, command};

/// Requests sent with one write.
const AT_ONCE: usize = 100;
const CONNECTIONS: usize = 4;
const ROUNDS: usize = 24;
/// Far more than a stop takes that waits for nobody.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(60);
/// More lines than a pipe of 64 KiB and the queue of 1 MiB hold together.
const REQUESTS: usize = AT_ONCE * CONNECTIONS * ROUNDS;

/// The program with an access log; its standard error is read up to the address where it listens, and no further.
struct Unread {
    child: Child,
    stderr: BufReader<ChildStderr>,
    address: SocketAddr,
    admin: SocketAddr,
    _directory: TempDir,
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start() -> Unread {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("environment.json"), FIXTURE).unwrap();
    let config = json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "environment.json",
                                   "server_side_key": "ser.key"}],
        "server": {"host": "127.0.0.1", "port": 0, "shutdown_timeout_seconds": SHUTDOWN_TIMEOUT.as_secs()},
        "logging": {"enable_access_log": true},
        "admin": {"port": 0},
    });
    std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
    let mut child = command(directory.path())
        .env("WEB_CONCURRENCY", "2")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let (mut line, mut admin) = (String::new(), None);
    let address = loop {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "the proxy starts");
        if let Some((_, address)) = line.trim_end().split_once("the admin port is http://") {
            admin = address.trim_end_matches('/').parse().ok();
        }
        if let Some((_, address)) = line.trim_end().split_once("listening on http://") {
            break address.parse().unwrap();
        }
    };
    Unread {
        child,
        stderr,
        address,
        admin: admin.expect("it is told before"),
        _directory: directory,
    }
}

/// Answers of both workers, each of which logs a line.
fn ask(address: SocketAddr) {
    let request = Request::get("/proxy/health/liveness");
    let many = request.bytes().repeat(AT_ONCE);
    let mut connections: Vec<_> = (0..CONNECTIONS).map(|_| Connection::open(address)).collect();
    for _ in 0..ROUNDS {
        for connection in &mut connections {
            connection.write(&many);
            for _ in 0..AT_ONCE {
                assert_eq!(connection.read(false).status, 200);
            }
        }
    }
    let flags = Request::get("/api/v1/flags/").key(CLIENT_KEY);
    assert!([200, 503].contains(&connections[0].send(&flags).status));
}

#[test]
fn flags_are_answered_and_the_lost_lines_counted() {
    let mut proxy = start();
    ask(proxy.address);
    let (mut line, mut access_lines) = (String::new(), 0);
    let lost: usize = loop {
        line.clear();
        assert_ne!(
            proxy.stderr.read_line(&mut line).unwrap(),
            0,
            "the number of lost lines is told"
        );
        access_lines += usize::from(line.contains(" access: "));
        if let Some((before, _)) = line.split_once(" log lines were lost") {
            break before.rsplit(' ').next().unwrap().parse().unwrap();
        }
    };
    // Others than those of the access log may be lost or come before the number is told, but not many.
    let all = access_lines + lost;
    assert!(
        (REQUESTS..REQUESTS + 20).contains(&all),
        "{access_lines} read, {lost} lost"
    );
    let metrics = Request::get("/metrics").header("Host", &proxy.admin.to_string());
    let metrics = Connection::open(proxy.admin).send(&metrics);
    let told = metrics
        .text()
        .lines()
        .find_map(|line| line.strip_prefix("flagsmith_edge_proxy_log_lines_dropped_total "));
    assert!(told.unwrap().parse::<usize>().unwrap() >= lost, "{told:?}");
    ask(proxy.address);
}

#[test]
fn a_stop_does_not_wait_for_the_reader() {
    let mut proxy = start();
    ask(proxy.address);
    let started = std::time::Instant::now();
    let kill = format!("kill -s TERM {}", proxy.child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    assert_eq!(proxy.child.wait().unwrap().code(), Some(0));
    assert!(
        started.elapsed() < SHUTDOWN_TIMEOUT,
        "within the shutdown timeout: {:?}",
        started.elapsed()
    );
}

/// The line that says why a start failed does not need a reader either.
#[test]
fn a_start_that_fails_does_not_wait_for_the_reader() {
    let (reader, mut writer) = std::io::pipe().unwrap();
    fill(&mut writer);
    let directory = TempDir::new().unwrap();
    let status = command(directory.path()).stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(78));
    drop(reader);
}

/// Fills a pipe to its last byte.
fn fill(writer: &mut std::io::PipeWriter) {
    use std::io::Write as _;
    use std::os::fd::AsFd as _;
    let size = rustix::pipe::fcntl_getpipe_size(writer.as_fd()).unwrap();
    writer.write_all(&vec![b'.'; size]).unwrap();
}
