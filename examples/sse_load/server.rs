//! The edge proxy under load, as a child process: this program again, in its mode `serve`.
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use edge_proxy::application::{Application, Limits, StopSignals};
use edge_proxy::routes::StreamOptions;
use edge_proxy::server::open_files;
use edge_proxy::settings::Settings;

use super::arguments::Arguments;
use super::upstream::Upstream;

pub(crate) const CLIENT_SIDE_KEY: &str = "load_client_side_key";
pub(crate) const SERVER_SIDE_KEY: &str = "ser.load_server_side_key";
pub(crate) const AUTHENTICATION_TOKEN: &str = "load-token";

/// What differs from mode to mode.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// `realtime.notify_spread_ms`.
    pub spread: String,
    /// `realtime.max_stream_age_seconds`.
    pub max_stream_age_seconds: i64,
    /// The kernel's send buffer of each connection; 0 = as the system has it.
    pub send_buffer: usize,
    /// `realtime.max_subscribers`.
    pub max_subscribers: usize,
    /// How many refusals are held at a time.
    pub held_refusals: usize,
    /// How many clients are put off at a time.
    pub put_offs: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            spread: "auto".to_owned(),
            max_stream_age_seconds: -1,
            send_buffer: 0,
            max_subscribers: 1_000_000,
            held_refusals: StreamOptions::default().held_refusals,
            put_offs: StreamOptions::default().put_offs,
        }
    }
}

pub(crate) struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    pub(crate) fn start(upstream: &Upstream, options: &Options) -> Self {
        let spread = match options.spread.parse::<u64>() {
            Ok(millis) => millis.to_string(),
            Err(_) => "\"auto\"".to_owned(),
        };
        let realtime = format!(
            r#"{{"authentication_token": "{AUTHENTICATION_TOKEN}", "max_stream_age_seconds": {}, "notify_spread_ms": {spread},
                "max_subscribers": {}}}"#,
            options.max_stream_age_seconds, options.max_subscribers
        );
        let pairs = format!(
            r#"[{{"server_side_key": "{SERVER_SIDE_KEY}", "client_side_key": "{CLIENT_SIDE_KEY}"}}]"#
        );
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["serve", "--send-buffer", &options.send_buffer.to_string()])
            .args(["--held-refusals", &options.held_refusals.to_string()])
            .args(["--put-offs", &options.put_offs.to_string()])
            .env("ENVIRONMENT_KEY_PAIRS", pairs)
            .env("API_URL", upstream.api_url())
            .env("API_POLL_FREQUENCY_SECONDS", "3600")
            .env("REALTIME", realtime)
            .env("SERVER", r#"{"host": "0.0.0.0", "port": 0}"#)
            .env("LOGGING", r#"{"log_level": "WARNING"}"#)
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        output.read_line(&mut line).expect("its first line");
        // Read on, or the child would block on a full pipe.
        std::thread::spawn(move || output.read_to_end(&mut Vec::new()));
        let port = line.trim().parse().expect("the child prints its port");
        Self {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    }

    /// Waits for its end; the exit code and how long that took.
    pub(crate) async fn ended(&mut self) -> (Option<i32>, Duration) {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return (status.code(), started.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child's side: prints its port and serves until SIGTERM.
pub(crate) fn serve(arguments: &Arguments) -> ExitCode {
    open_files::raise_limit();
    let loaded = Settings::load(None, std::env::vars()).expect("settings of our own making");
    edge_proxy::logging::init(&loaded.settings.logging).expect("a thread for the log");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let send_buffer = Some(arguments.number("send-buffer", 0)).filter(|&bytes| bytes > 0);
    let defaults = StreamOptions::default();
    let streams = StreamOptions {
        held_refusals: arguments.number("held-refusals", defaults.held_refusals),
        put_offs: arguments.number("put-offs", defaults.put_offs),
        ..defaults
    };
    let outcome = actix::System::new().block_on(async move {
        let signals = StopSignals::install().expect("a signal");
        let limits = Limits {
            send_buffer,
            streams,
            ..Limits::default()
        };
        let application = Application::build(&loaded.settings, limits).expect("a port");
        println!("{}", application.port());
        application.run_until_stopped(signals).await.expect("a server")
    });
    edge_proxy::logging::flush();
    outcome.exit_code().into()
}
