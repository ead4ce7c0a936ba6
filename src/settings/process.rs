//! What environment variables alone can set.
use std::path::PathBuf;

use actors::upstream::{ExemptHosts, OutgoingProxies, OutgoingProxy, RootCertificates};
use serde_json::Value;

use super::field::Field;
use super::variables::{Variable, Variables};
use super::{Notice, Origin, ProcessSettings, SettingsError, TrustedProxies, telemetry};

/// actix-server panics beyond it.
const MOST_WORKERS: u16 = 512;

/// `urls`: those that requests go to by the configuration's other options.
pub(super) fn read(
    variables: &Variables,
    urls: &[&str],
    notices: &mut Vec<Notice>,
) -> Result<ProcessSettings, SettingsError> {
    let telemetry = telemetry::read(variables, notices)?;
    let urls: Vec<&str> = urls.iter().copied().chain(telemetry.urls()).collect();
    Ok(ProcessSettings {
        workers: workers(variables)?,
        trusted_proxies: trusted_proxies(variables, notices),
        roots: roots(variables),
        outgoing: outgoing(variables, &urls, notices)?,
        telemetry,
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

pub(super) fn trusted_proxies(variables: &Variables, notices: &mut Vec<Notice>) -> TrustedProxies {
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

/// A proxy that cannot be used ends the start where requests would go through it: sending them directly may be forbidden. Desktops
/// and tools set all variables at once, so one that nothing goes through is left out.
fn outgoing(
    variables: &Variables,
    urls: &[&str],
    notices: &mut Vec<Notice>,
) -> Result<OutgoingProxies, SettingsError> {
    let proxy = |name: &str| variables.get_lower_first(name).map(outgoing_proxy);
    let read = OutgoingProxies {
        http: proxy("http_proxy"),
        https: proxy("https_proxy"),
        all: proxy("all_proxy"),
        exempt: exempt_hosts(variables, notices),
    };
    for url in urls {
        let url = url.parse().ok();
        if let Some(Err(error)) = url.as_ref().and_then(|url| read.of_url(url)) {
            return Err(error.clone());
        }
    }
    let mut used = |proxy: Option<Result<OutgoingProxy, SettingsError>>| match proxy? {
        Ok(proxy) => Some(proxy),
        Err(error) => {
            notices.push(Notice::warning(format!(
                "{error}; it is left out, because no request goes through it"
            )));
            None
        }
    };
    Ok(OutgoingProxies {
        http: used(read.http),
        https: used(read.https),
        all: used(read.all),
        exempt: read.exempt,
    })
}

fn outgoing_proxy(variable: &Variable) -> Result<OutgoingProxy, SettingsError> {
    OutgoingProxy::parse(&variable.text).map_err(|problem| SettingsError::Invalid {
        option: variable.name.to_uppercase(),
        origin: origin(variable),
        problem: problem.to_string(),
    })
}

fn exempt_hosts(variables: &Variables, notices: &mut Vec<Notice>) -> ExemptHosts {
    let Some(variable) = variables.get_lower_first("no_proxy") else {
        return ExemptHosts::default();
    };
    let (exempt, left_out) = ExemptHosts::parse(&variable.text);
    if left_out > 0 {
        notices.push(Notice::warning(format!(
            "{left_out} of the entries of environment variable {} are neither hosts nor networks, so they are left out: \
             give *, or a list as localhost,.example.com,10.0.0.0/8,[::1]:8000",
            variable.name
        )));
    }
    exempt
}

fn origin(variable: &Variable) -> Origin {
    Origin::Variable(variable.name.clone())
}
