//! What environment variables alone can set.
use std::path::PathBuf;

use actors::upstream::RootCertificates;
use serde_json::Value;

use super::field::Field;
use super::variables::{Variable, Variables};
use super::{Notice, Origin, OutgoingProxies, ProcessSettings, Secret, SettingsError, TrustedProxies};

/// actix-server panics beyond it.
const MOST_WORKERS: u16 = 512;

pub(super) fn read(
    variables: &Variables,
    notices: &mut Vec<Notice>,
) -> Result<ProcessSettings, SettingsError> {
    Ok(ProcessSettings {
        workers: workers(variables)?,
        trusted_proxies: trusted_proxies(variables, notices),
        roots: roots(variables),
        outgoing: outgoing(variables)?,
    })
}

fn workers(variables: &Variables) -> Result<usize, SettingsError> {
    match variables.get("web_concurrency") {
        Some(variable) => {
            let text = Value::String(variable.text.clone());
            let field = Field::new("WEB_CONCURRENCY".to_owned(), origin(variable), &text);
            Ok(usize::try_from(field.integer(1, MOST_WORKERS.into())?).unwrap_or(1))
        }
        None => {
            Ok(std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_WORKERS.into())))
        }
    }
}

fn roots(variables: &Variables) -> RootCertificates {
    let directories = variables
        .get("ssl_cert_dir")
        .map_or("", |variable| variable.text.trim());
    RootCertificates {
        file: variables
            .get("ssl_cert_file")
            .map(|variable| PathBuf::from(variable.text.trim())),
        // Divided as in PATH, as OpenSSL does.
        directories: std::env::split_paths(directories)
            .filter(|path| !path.as_os_str().is_empty())
            .collect(),
    }
}

fn trusted_proxies(variables: &Variables, notices: &mut Vec<Notice>) -> TrustedProxies {
    let Some(variable) = variables.get("forwarded_allow_ips") else {
        return TrustedProxies::loopback();
    };
    let (trusted, left_out) = TrustedProxies::parse(&variable.text);
    if left_out > 0 {
        notices.push(Notice::warning(format!(
            "{left_out} of the entries of environment variable {} are neither IP addresses nor networks, so they are \
             left out: give *, or a list as 10.0.0.0/8,192.168.1.7",
            variable.name
        )));
    }
    trusted
}

fn outgoing(variables: &Variables) -> Result<OutgoingProxies, SettingsError> {
    let proxy = |name: &str| variables.get_lower_first(name).map(proxy_url).transpose();
    let exempt = variables
        .get_lower_first("no_proxy")
        .map_or("", |variable| &variable.text);
    Ok(OutgoingProxies {
        http: proxy("http_proxy")?,
        https: proxy("https_proxy")?,
        all: proxy("all_proxy")?,
        exempt: exempt
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

/// Reads the URL of a proxy that CONNECT can go through. Without a scheme it is `http`, as everywhere.
fn proxy_url(variable: &Variable) -> Result<Secret, SettingsError> {
    let url = variable.text.trim();
    let scheme = url
        .split_once("://")
        .map_or_else(|| "http".to_owned(), |(scheme, _)| scheme.to_lowercase());
    let problem = match scheme.as_str() {
        "http" | "https" => return Ok(Secret::new(url)),
        socks if socks.starts_with("socks") => {
            "is a SOCKS proxy, which is not supported; give an HTTP proxy (http://host:port) or unset it"
        }
        _ => "is no HTTP proxy; give a URL as http://proxy.example.com:3128",
    };
    Err(SettingsError::Invalid {
        option: variable.name.to_uppercase(),
        origin: origin(variable),
        problem: problem.to_owned(),
    })
}

fn origin(variable: &Variable) -> Origin {
    Origin::Variable(variable.name.clone())
}

impl OutgoingProxies {
    /// Tells whether any request may go through a proxy.
    pub(crate) fn is_set(&self) -> bool {
        self.http.is_some() || self.https.is_some() || self.all.is_some()
    }
}
