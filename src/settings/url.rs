//! URLs in the configuration. They may hold a password, so no message shows one.
use actix_web::http::Uri;
use actors::upstream::named_port;

use super::SettingsError;
use super::field::Field;

/// Reads an `http` or `https` URL that paths can follow; it has no query and loses its trailing slash. `example`: a right one of
/// this option, for whoever gives a wrong one.
pub(super) fn base_url(field: &Field<'_>, example: &str) -> Result<String, SettingsError> {
    let text = field.text()?;
    let wrong = |problem: &str| field.invalid(format!("{problem}; give a URL as {example}"));
    if text.contains(['?', '#']) {
        return Err(wrong("has a query or a fragment"));
    }
    let url: Uri = text.parse().map_err(|_| wrong("is no URL"))?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err(wrong("starts with neither http:// nor https://"));
    }
    if url.host().is_none_or(str::is_empty) {
        return Err(wrong("names no host"));
    }
    if url
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'))
    {
        // The HTTP client would not send them.
        return Err(wrong("holds a user or a password, which is not supported"));
    }
    // Else the scheme's own port would be asked in its place, and be sent the keys.
    named_port(&url).map_err(|problem| wrong(&problem.to_string()))?;
    Ok(text.trim_end_matches('/').to_owned())
}

/// Reads an origin as browsers send it: scheme, host, and the port where it is not the scheme's own. `None` where the
/// text can be none: with a path, without a scheme, with a wildcard in the host, with a port that there is not.
pub(super) fn origin(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text).to_lowercase();
    let (scheme, authority) = text.split_once("://")?;
    let url: Uri = text.parse().ok()?;
    let is_plain = url.path() == "/" && url.query().is_none() && !authority.contains(['*', '@', '#', '/']);
    if !is_plain || url.host().is_none_or(str::is_empty) {
        return None;
    }
    let own_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return Some(text),
    };
    let host = url.host()?;
    Some(match named_port(&url).ok()? {
        Some(port) if port != own_port => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    })
}
