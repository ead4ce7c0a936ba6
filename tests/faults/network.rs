//! What stands between this proxy and upstream: TLS that fails, a certificate that upstream wants, and a proxy that makes no way.
//! No client notices.
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::certificates::{Authority, Issued};
use test_support::findings::Findings;
use test_support::tls_front::TlsFront;
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::Row;
use crate::harness::environments::{ENVIRONMENTS, good};
use crate::upstream::claims::{self, Expected, Told};
use crate::upstream::scene::{JITTER, PERIOD, Scene, Setting};

mod proxies;
mod tls;

pub(crate) fn rows() -> Vec<Row> {
    [tls::rows(), proxies::rows()].into_iter().flatten().collect()
}

fn row(name: &'static str, run: fn(&mut Findings) -> Result<(), String>) -> Row {
    Row {
        group: "network",
        name,
        run,
    }
}

/// How upstream is reached while nothing is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// By https.
    Directly,
    /// By https through a proxy, with these credentials before its host.
    Through(&'static str),
    /// By http through a proxy.
    PlainThrough,
    /// By http through a proxy on TLS.
    PlainThroughTls,
}

/// The servers of a row, and the files that this proxy has of them.
struct Way {
    upstream: Arc<ScriptedUpstream>,
    front: TlsFront,
    proxy: ScriptedUpstream,
    proxy_front: TlsFront,
    authority: Authority,
    files: TempDir,
    host: &'static str,
}

impl Way {
    fn new(reach: Reach) -> Self {
        let host = match reach {
            Reach::Directly => "localhost",
            // Nobody but the proxy finds it.
            _ => "flagsmith.internal.test",
        };
        let authority = Authority::new("Corporate");
        // Nobody is to have the whole of it.
        let upstream = Arc::new(ScriptedUpstream::start(|_| Answer::ok(" ".repeat(5_000))));
        let proxy = ScriptedUpstream::start(|_| Answer::status(500));
        let files = tempfile::tempdir().unwrap();
        fs::write(files.path().join("ca.pem"), authority.pem()).unwrap();
        let way = Self {
            front: TlsFront::start(authority.issue(host).server(), upstream.address()),
            proxy_front: TlsFront::start(authority.issue("localhost").server(), proxy.address()),
            upstream,
            proxy,
            authority,
            files,
            host,
        };
        way.mend();
        way
    }

    /// Everything is as it should be.
    fn mend(&self) {
        self.present(&self.authority.issue(self.host));
        self.proxy_front
            .present(self.authority.issue("localhost").server());
        let (plain, on_tls) = (self.upstream.address(), self.front.address());
        self.proxy.script(move |request| {
            let port = request.target.rsplit(':').next();
            Answer::tunnel(if port == Some("80") { plain } else { on_tls })
        });
    }

    /// Upstream shows this certificate.
    fn present(&self, issued: &Issued) {
        self.front.present(issued.server());
    }

    /// The proxy leads here, whatever it is asked for.
    fn lead_to(&self, address: SocketAddr) {
        self.proxy.script(move |_| Answer::tunnel(address));
    }

    /// The proxy gives this answer.
    fn answer(&self, answer: Answer) {
        self.proxy.script(move |_| answer.clone());
    }

    fn setting(&self, reach: Reach, config: &Value) -> Setting {
        let (api_url, proxy) = match reach {
            Reach::Directly => (format!("https://localhost:{}/api/v1", self.front.port()), None),
            Reach::Through(credentials) => (
                format!("https://{}/api/v1", self.host),
                Some(format!("http://{credentials}{}", self.proxy.address())),
            ),
            Reach::PlainThrough => (format!("http://{}/api/v1", self.host), Some(self.proxy.origin())),
            Reach::PlainThroughTls => (
                format!("http://{}/api/v1", self.host),
                Some(format!("https://localhost:{}", self.proxy_front.port())),
            ),
        };
        let mut all = json!({
            "api_url": api_url,
            "upstream": {"ca_file": self.files.path().join("ca.pem")},
        });
        for (option, value) in config.as_object().into_iter().flatten() {
            all[option] = value.clone();
        }
        Setting {
            config: all,
            variables: proxy.map(|url| ("ALL_PROXY", url)).into_iter().collect(),
            ..Setting::default()
        }
    }

    /// Attempts so far that had an end, good or bad.
    fn attempts(&self) -> u64 {
        let attempts = self.front.accepted().max(self.proxy.requests().len());
        u64::try_from(attempts).unwrap()
    }
}

/// A fault on the way to upstream.
struct Detour {
    reach: Reach,
    fault: fn(&Way),
    mend: fn(&Way),
    says: &'static [&'static str],
    config: Value,
    /// What an attempt that hangs takes beyond the period, or the wait after one that was refused, or for files to stay the same.
    hangs: Duration,
}

impl Detour {
    /// The log says this.
    fn of(reach: Reach, fault: fn(&Way), says: &'static [&'static str]) -> Self {
        Self {
            reach,
            fault,
            mend: Way::mend,
            says,
            config: json!({}),
            hangs: Duration::ZERO,
        }
    }

    /// It ends by this.
    fn mended_by(mut self, mend: fn(&Way)) -> Self {
        self.mend = mend;
        self
    }

    /// The proxy is not asked again before.
    fn asked_again_after(mut self, wait: Duration) -> Self {
        self.hangs = wait;
        self
    }

    /// It ends by a file, which counts once it has stayed the same for a second. An attempt looks at it where the last one that did
    /// was a second before, so the one that would find it may not look.
    fn mended_by_a_file(mut self, mend: fn(&Way)) -> Self {
        self.hangs = Duration::from_secs(2);
        self.mended_by(mend)
    }

    /// A fetch hangs for so long at most.
    fn hanging(mut self, timeout: Duration) -> Self {
        self.config = json!({"api_poll_timeout_seconds": timeout.as_secs_f64()});
        self.hangs = timeout;
        self
    }

    /// Causes it from the very start, ends it, and causes it again.
    fn run(&self, findings: &mut Findings) -> Result<(), String> {
        let way = Way::new(self.reach);
        (self.fault)(&way);
        let setting = way.setting(self.reach, &self.config);
        let scene = Scene::start(Arc::clone(&way.upstream), TempDir::new().unwrap(), &setting);
        scene.wait_for_line("It has no document to serve yet.");
        scene.watch();
        self.end(&scene, &way, 1, findings)?;

        (self.fault)(&way);
        scene.wait_for_line("The last good document stays served.");
        scene.watch();
        self.end(&scene, &way, 2, findings)?;

        let (seen, written) = scene.end(2)?;
        findings.tried(way.attempts());
        let expected = Expected {
            versions: &[1, 2],
            is_without_at_first: true,
            is_renumbered: false,
        };
        claims::of_clients(&seen, &expected, findings)?;
        claims::of_probes(&seen, true, findings)?;
        let told = Told {
            says: self.says,
            spells: 2,
            lines: 1..=self.says.len(),
            environments: ENVIRONMENTS.len(),
            is_recovery_told: true,
        };
        claims::of_log(&written, &told, findings)
    }

    /// The way is free, and upstream has this version.
    fn end(&self, scene: &Scene, way: &Way, version: u32, findings: &mut Findings) -> Result<(), String> {
        // Closed after each answer, so that the next fault meets no connection that is kept.
        way.upstream
            .script(move |request| good(request, version).closing());
        let well = Instant::now();
        (self.mend)(way);
        let longest = (PERIOD * 2).mul_f64(JITTER) + self.hangs;
        findings.fresh_after(scene.fresh_after(version, well, longest)?);
        Ok(())
    }
}

/// A server that answers this to whatever comes first, without a look into it.
fn answering(answer: &'static [u8]) -> SocketAddr {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut first = [0; 4096];
            let _ = stream.read(&mut first);
            let _ = stream.write_all(answer);
        }
    });
    address
}

/// Writes a file of certificates by renaming, as those do who change them under a program.
fn replace(path: &Path, text: &str) {
    let next = path.with_extension("next");
    fs::write(&next, text).unwrap();
    fs::rename(next, path).unwrap();
}
