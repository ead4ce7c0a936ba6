//! What the help says beyond commands and options, and the man page too.
use super::exit_codes::EXIT_CODES;

/// What options of the configuration file have to do with variables.
pub(super) const OPTIONS_ARE_VARIABLES: &str = "Every option of the configuration file is also an environment variable, in upper case, which wins; objects are JSON:";

/// Some of them, as examples.
pub(super) const OPTION_EXAMPLES: &[&str] = &[
    r#"ENVIRONMENT_KEY_PAIRS='[{"server_side_key":"ser.…","client_side_key":"…"}]'"#,
    r#"API_URL, API_POLL_FREQUENCY_SECONDS, LOGGING='{"log_level":"DEBUG"}', …"#,
];

/// Variables that are no options of the file.
pub(super) const VARIABLES: &[(&str, &str)] = &[
    ("CONFIG_PATH", "the configuration file, where --config names none"),
    ("WEB_CONCURRENCY", "HTTP workers (default: the cores)"),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        "trusted roots, instead of the system's",
    ),
    (
        "FORWARDED_ALLOW_IPS",
        "peers whose X-Forwarded-For and PROXY headers count",
    ),
    (
        "HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY",
        "how the Flagsmith API is reached",
    ),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_…",
        "the OpenTelemetry collector that gets spans and metrics",
    ),
];

/// The sections below commands and options.
pub(super) fn sections() -> String {
    let examples: Vec<_> = OPTION_EXAMPLES
        .iter()
        .map(|example| format!("  {example}\n"))
        .collect();
    format!(
        "Environment variables:\n{}\n{OPTIONS_ARE_VARIABLES}\n{}\nExit codes:\n{}",
        table(VARIABLES),
        examples.concat(),
        table(EXIT_CODES).trim_end(),
    )
}

fn table(rows: &[(&str, &str)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let rows: Vec<_> = rows
        .iter()
        .map(|(name, meaning)| format!("  {name:width$}  {meaning}\n"))
        .collect();
    rows.concat()
}
