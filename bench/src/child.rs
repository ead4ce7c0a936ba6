//! Servers as processes of their own: CPU time and memory are then theirs alone.
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use serde_json::json;
use tempfile::TempDir;
use test_support::http::{Connection, Request, Response, ask};
use test_support::tls::{Certificate, Files, client};

use crate::documents::{CLIENT_KEY, SERVER_KEY};

mod log_file;

use log_file::LogFile;

/// Longer than the largest document takes to be applied.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that listens; killed when this is dropped.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its admin port is, if it has one that was asked for.
    pub admin: Option<SocketAddr>,
    /// When it was started.
    pub started: Instant,
    /// What clients agree on with it; `None`: it speaks plain HTTP.
    pub terms: Option<Arc<ClientConfig>>,
    child: Child,
    directory: Option<TempDir>,
    /// Kept for as long as the server writes to it.
    _log: Option<Arc<LogFile>>,
}

/// Which server the bare handler runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BareOn {
    /// actix-web's own `HttpServer`.
    Actix,
    /// The same over TLS.
    ActixTls,
    /// The same, which takes HTTP/2 with prior knowledge.
    ActixHttp2,
    /// The proxy's server.
    Proxy,
}

/// How a proxy is started on a document.
#[derive(Debug, Clone, Copy, Default)]
pub struct Start<'a> {
    /// Another build than the one beside this program.
    pub build: Option<&'a Path>,
    /// Whether it writes a line for each request, into a file.
    pub logs_accesses: bool,
    /// The `api_url` of an upstream that serves the document, which is else read from a file.
    pub upstream: Option<&'a str>,
    /// Whether identities are forwarded to upstream.
    pub forwards_identities: bool,
    /// Whether it speaks TLS.
    pub speaks_tls: bool,
    /// Whether it takes HTTP/2 with prior knowledge.
    pub speaks_http2: bool,
    /// The collector that gets its spans; `None`: it makes none.
    pub collector: Option<SocketAddr>,
    /// Whether it has an admin port, so that it counts requests.
    pub has_admin: bool,
}

/// What the proxy's log has before its address.
const LISTENING: [&str; 2] = ["listening on http://", "listening on https://"];

/// A program of this workspace, built beside this one.
fn program(name: &str) -> PathBuf {
    std::env::current_exe()
        .expect("this program has a path")
        .with_file_name(name)
}

impl Server {
    /// Starts this very program as a server, which prints its address once it is ready.
    pub fn start_self(arguments: &[&str]) -> Self {
        Self::start_printing(
            std::env::current_exe().expect("this program has a path"),
            arguments,
        )
    }

    /// Starts the bare handler, which answers every request with what is in a file (see `bin/bare.rs`).
    pub fn start_bare(on: BareOn, method: &str, path: &str, answer: &[u8]) -> io::Result<Self> {
        let directory = TempDir::new()?;
        let file = directory.path().join("answer");
        fs::write(&file, answer)?;
        let server = match on {
            BareOn::Actix => "actix",
            BareOn::ActixTls => "actix-tls",
            BareOn::ActixHttp2 => "actix-http2",
            BareOn::Proxy => "proxy",
        };
        let certificate = Certificate::valid();
        let Files {
            certificate: chain,
            key,
        } = Files::write(directory.path(), &certificate);
        let paths = [file, chain, key].map(|path| path.display().to_string());
        let [file, chain, key] = &paths;
        let mut server = Self::start_printing(program("bare"), &[server, method, path, file, chain, key]);
        server.terms = (on == BareOn::ActixTls).then(|| terms(&certificate));
        server.directory = Some(directory);
        Ok(server)
    }

    fn start_printing(program: PathBuf, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::piped());
        let (started, child) = spawn(&mut command);
        let mut server = Self::of(child, started);
        let output = server.child.stdout.take().expect("its output is piped");
        server.address = address_in(output, &[""]).expect("the server prints its address");
        server
    }

    /// A server whose address is not known yet.
    fn of(child: Child, started: Instant) -> Self {
        Self {
            address: SocketAddr::from(([0, 0, 0, 0], 0)),
            admin: None,
            started,
            terms: None,
            child,
            directory: None,
            _log: None,
        }
    }

    /// Starts the proxy on a document; it listens, and may not have applied the document yet.
    pub fn start_proxy(document: &[u8], start: Start<'_>) -> io::Result<Self> {
        let directory = TempDir::new()?;
        // An option that is null is as one that is not there.
        let file = start.upstream.is_none().then_some("environment.json");
        if let Some(file) = file {
            fs::write(directory.path().join(file), document)?;
        }
        let certificate = start.speaks_tls.then(Certificate::valid);
        let files = certificate
            .as_ref()
            .map(|certificate| Files::write(directory.path(), certificate));
        let config = json!({
            "environment_key_pairs": [{
                "client_side_key": CLIENT_KEY,
                "server_side_key": SERVER_KEY,
                "document_path": file,
            }],
            "api_url": start.upstream,
            "forward_identities": start.forwards_identities.then_some(true),
            "server": {
                "host": "127.0.0.1",
                "port": 0,
                "tls": files.map(|files| json!({"certificate": files.certificate, "key": files.key})),
            },
        });
        fs::write(directory.path().join("config.json"), config.to_string())?;
        let mut server = Self::start_proxy_with(&directory.path().join("config.json"), start)?;
        server.terms = certificate.as_ref().map(terms);
        server.directory = Some(directory);
        Ok(server)
    }

    /// Starts the proxy on a configuration, at a port of the system's choice.
    pub fn start_proxy_on(config: &Path) -> io::Result<Self> {
        Self::start_proxy_with(config, Start::default())
    }

    /// The same, started in another way.
    pub fn start_proxy_with(config: &Path, start: Start<'_>) -> io::Result<Self> {
        let mut command = Command::new(start.build.map_or_else(|| program("edge-proxy"), Path::to_owned));
        command.arg("--config").arg(config);
        // Other options have their documented defaults.
        let mut options = json!({"host": "127.0.0.1", "port": 0});
        if let (true, Some(options)) = (start.speaks_http2, options.as_object_mut()) {
            options.insert("h2c".to_owned(), true.into());
        }
        command.env("SERVER", options.to_string());
        // The demonstration opens one.
        command.env("ADMIN", json!({"port": null}).to_string());
        command.env(
            "LOGGING",
            json!({"log_level": "INFO", "enable_access_log": start.logs_accesses}).to_string(),
        );
        if let Some(collector) = start.collector {
            command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"));
        }
        let admin = start.has_admin.then(free_address).transpose()?;
        if let Some(admin) = admin {
            command.env(
                "ADMIN",
                json!({"host": admin.ip(), "port": admin.port()}).to_string(),
            );
        }
        let file = start.logs_accesses.then(LogFile::new).transpose()?;
        match &file {
            None => command.stderr(Stdio::piped()),
            Some(file) => command.stderr(file.for_writing()?),
        };
        let (started, child) = spawn(&mut command);
        // Its process ends with it from here on, whatever follows.
        let mut server = Self::of(child, started);
        server.address = match (&file, server.child.stderr.take()) {
            (Some(file), _) => file.address()?,
            (None, Some(output)) => address_in(output, &LISTENING)?,
            (None, None) => return Err(io::Error::other("the server's log is not piped")),
        };
        server._log = file;
        server.admin = admin;
        Ok(server)
    }

    /// Asks it once, on a connection of its own.
    pub fn ask(&self, request: &Request) -> io::Result<Response> {
        match &self.terms {
            None => ask(self.address, request),
            Some(terms) => Connection::try_open_tls(self.address, terms)?.try_send(request),
        }
    }

    /// Waits until the server answers a request with this status.
    pub fn wait_for(&self, request: &Request, status: u16) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.ask(request).is_ok_and(|response| response.status == status) {
                return Ok(());
            }
            thread::sleep(Duration::from_micros(500));
        }
        Err(io::Error::other("the server does not answer as expected"))
    }

    /// Replaces the proxy's document, at once.
    pub fn replace_document(&self, document: &[u8]) -> io::Result<()> {
        let directory = self
            .directory
            .as_ref()
            .ok_or_else(|| io::Error::other("no document of ours"))?;
        let new = directory.path().join("new.json");
        fs::write(&new, document)?;
        fs::rename(new, directory.path().join("environment.json"))
    }

    /// The server's process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory now and at its peak, in bytes.
    pub fn memory(&self) -> io::Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
        };
        match (field("VmRSS:"), field("VmHWM:")) {
            (Some(resident), Some(peak)) => Ok(Memory {
                resident: resident * 1024,
                peak: peak * 1024,
            }),
            _ => Err(io::Error::other("the system does not tell the server's memory")),
        }
    }
}

/// Resident memory of a process, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// What is resident now.
    pub resident: u64,
    /// The most that was resident at any time.
    pub peak: u64,
}

/// An address that nobody has at the moment.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

fn spawn(command: &mut Command) -> (Instant, Child) {
    command.stdin(Stdio::null());
    let started = Instant::now();
    (started, command.spawn().expect("the server starts"))
}

/// What a client agrees on that measures HTTP/1.1 over kept connections.
fn terms(certificate: &Certificate) -> Arc<ClientConfig> {
    let mut terms = client([certificate]);
    terms.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(terms)
}

/// The address behind one of these marks.
fn address_behind(marks: &[&str], line: &str) -> Option<SocketAddr> {
    let (_, address) = marks.iter().find_map(|mark| line.split_once(mark))?;
    address.trim().parse().ok()
}

/// The address behind one of these marks in what a server prints. The rest is read and dropped: a server blocks on
/// a full pipe.
fn address_in(output: impl Read + Send + 'static, marks: &[&str]) -> io::Result<SocketAddr> {
    let mut output = BufReader::new(output);
    let mut printed = String::new();
    loop {
        let start = printed.len();
        if output.read_line(&mut printed)? == 0 {
            return Err(io::Error::other(format!("the server ended: {printed}")));
        }
        let line = printed.get(start..).unwrap_or_default();
        if let Some(address) = address_behind(marks, line) {
            thread::spawn(move || io::copy(&mut output, &mut io::sink()));
            return Ok(address);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
