//! Chromium, and the page of `examples/browser`.
use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::program::Program;
use test_support::wait::PATIENCE;

use super::Edge;
use super::driver::{Driver, installed, node, repository};
use super::flagsmith::CLIENT_SIDE_KEY;

/// Chromium, its tabs and what it loads.
pub(crate) struct Browser {
    driver: Driver,
    /// What Chromium keeps; dropped after it.
    _profile: TempDir,
}

impl Browser {
    /// Starts it; `None`, with a notice: it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let chromium = env::var_os("CHROMIUM").map_or_else(|| "/usr/bin/chromium".into(), PathBuf::from);
        let chromium = installed(chromium)?;
        let mut command = node("browser.mjs")?;
        let profile = TempDir::new().unwrap();
        command.env("CHROMIUM", chromium).env("PROFILE", profile.path());
        Some(Self {
            driver: Driver::run(command),
            _profile: profile,
        })
    }

    /// What the driver makes of an action in a tab.
    pub(crate) fn ask(&self, tab: &str, action: &str, given: Value) -> Value {
        self.driver.ask(tab, action, given)
    }

    /// Opens a page in a new tab.
    pub(crate) fn open(&self, tab: &str, url: &str) {
        self.ask(tab, "open_tab", json!({"url": url}));
    }

    /// Opens the page in React on this proxy, and waits for its flags; `more` is added to its query. It accepts gzip alone, as
    /// most browsers and SDKs do: this one would prefer another.
    pub(crate) fn open_react(&self, tab: &str, edge: &Edge, more: &str) {
        let (api, streams) = (edge.api_url(), edge.realtime_url());
        let page = format!("SITE/react.html?key={CLIENT_SIDE_KEY}&api={api}&streams={streams}{more}");
        self.ask(tab, "open_tab", json!({"url": page, "encoding": "gzip"}));
        self.until(
            tab,
            "document.querySelector('#banner')?.textContent === 'true: version 0'",
        );
        self.until(
            tab,
            "document.querySelector('#limit')?.textContent === 'true: 10'",
        );
    }

    /// Waits until this holds in the page.
    pub(crate) fn until(&self, tab: &str, holds: &str) {
        if let Err(error) = self.driver.try_ask(tab, "until", json!({"holds": holds})) {
            let text = self.evaluate(tab, "document.body.innerText");
            panic!("{tab}: not {holds}: {error}\n{text}\n{}", self.problems(tab));
        }
    }

    /// What an expression gives in the page, once what it promises is there.
    pub(crate) fn evaluate(&self, tab: &str, expression: &str) -> Value {
        self.ask(tab, "evaluate", json!({"expression": expression}))
    }

    /// Clicks on an element.
    pub(crate) fn click(&self, tab: &str, selector: &str) {
        self.ask(tab, "click", json!({"selector": selector}));
    }

    /// What the page's console complained of.
    pub(crate) fn problems(&self, tab: &str) -> Value {
        self.ask(tab, "problems", json!({}))
    }

    /// What went over the network to this path, once there are so many answers: `method`, `url`, `status`, and the headers
    /// `sent` and `received`.
    pub(crate) fn exchanges(&self, tab: &str, path: &str, answers: usize) -> Vec<Value> {
        let begun = Instant::now();
        loop {
            let all = self.ask(tab, "exchanges", json!({}));
            let mut exchanges = all.as_array().unwrap().clone();
            exchanges.retain(|exchange| {
                exchange["url"].as_str().is_some_and(|url| url.contains(path))
                    && exchange["status"].is_number()
            });
            if exchanges.len() >= answers {
                return exchanges;
            }
            assert!(begun.elapsed() < PATIENCE, "{all}");
        }
    }

    /// Keeps how the page looks, for people.
    pub(crate) fn screenshot(&self, tab: &str, name: &str) {
        let folder = repository().join("target/sdk/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        self.ask(
            tab,
            "screenshot",
            json!({"path": folder.join(format!("{name}.png"))}),
        );
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // So that nothing writes to its folder any more when that is removed.
        if !thread::panicking() {
            let _ = self.driver.try_ask("browser", "quit", json!({}));
        }
    }
}

/// The demonstration: the page and the proxy that it asks, in one process.
pub(crate) struct Demonstration {
    /// Where the page is.
    pub page: String,
    _program: Program,
    _folder: TempDir,
}

impl Demonstration {
    /// Starts it; `None`, with a notice: it is not built.
    pub(crate) fn start() -> Option<Self> {
        let program = installed(repository().join("target/debug/examples/browser"))?;
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("LOGGING", json!({"enable_access_log": true}).to_string())
            // A browser holds six streams: the next tab has its turn when one of them ends.
            .env("REALTIME", json!({"max_stream_age_seconds": 3}).to_string())
            .current_dir(repository())
            .args(["--page-port", "0", "--proxy-port", "0", "--folder"])
            .arg(folder.path());
        let program = Program::start(&mut command);
        let page = program.find_line(|line| Some(line.split_once("live: ")?.1.split(' ').next()?.to_owned()));
        Some(Self {
            page,
            _program: program,
            _folder: folder,
        })
    }
}
