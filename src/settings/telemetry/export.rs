use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use actix_web::http::Uri;
use actors::upstream::{ExtraHeaders, NoSuchPort, TlsFiles, named_port};
use percent_encoding::percent_decode_str;

use super::super::{Origin, SettingsError};
use super::Signal;
use super::reader::Reader;
use crate::settings::variables::Variable;

/// Where a signal is sent to, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The whole URL for `http/protobuf`; the server's alone for `grpc`.
    pub url: String,
    /// `OTEL_EXPORTER_OTLP_PROTOCOL`.
    pub protocol: OtlpProtocol,
    /// `OTEL_EXPORTER_OTLP_HEADERS`, whose values are secret.
    pub headers: ExtraHeaders,
    /// `OTEL_EXPORTER_OTLP_TIMEOUT`: for one request with its answer.
    pub timeout: Duration,
    /// `OTEL_EXPORTER_OTLP_COMPRESSION`: whether it is compressed, by gzip.
    pub gzip: bool,
    /// `OTEL_EXPORTER_OTLP_CERTIFICATE`: root certificates to trust in place of others.
    pub certificate: Option<PathBuf>,
}

/// The protocols of OTLP that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtlpProtocol {
    /// `http/protobuf`.
    HttpProtobuf,
    /// `grpc`.
    Grpc,
}

impl OtlpProtocol {
    /// Its name in the variable.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HttpProtobuf => "http/protobuf",
            Self::Grpc => "grpc",
        }
    }
}

/// Reads how a signal is sent that has an endpoint.
pub(super) fn read(reader: &mut Reader<'_>, signal: Signal) -> Result<Export, SettingsError> {
    let protocol = protocol(reader, signal);
    Ok(Export {
        url: url(reader, signal, protocol)?,
        protocol,
        headers: headers(reader, signal)?,
        timeout: reader.timeout_of(signal, "timeout", 10_000),
        gzip: gzip(reader, signal),
        certificate: certificate(reader, signal)?,
    })
}

fn protocol(reader: &mut Reader<'_>, signal: Signal) -> OtlpProtocol {
    let problem =
        "names a protocol that there is not, so it counts as not set; there are http/protobuf and grpc";
    let read = reader.understood(signal, "protocol", problem, |name| {
        match name.to_ascii_lowercase().as_str() {
            "grpc" => Some(OtlpProtocol::Grpc),
            "http/protobuf" => Some(OtlpProtocol::HttpProtobuf),
            _ => None,
        }
    });
    read.unwrap_or(OtlpProtocol::HttpProtobuf)
}

fn url(reader: &mut Reader<'_>, signal: Signal, protocol: OtlpProtocol) -> Result<String, SettingsError> {
    let own = reader.own_variable_of(signal, "endpoint");
    let Some(variable) = own.or_else(|| reader.variable_of(signal, "endpoint")) else {
        return Ok(String::new());
    };
    let wrong = |problem: &str| {
        let example = match protocol {
            OtlpProtocol::HttpProtobuf => "http://collector:4318",
            OtlpProtocol::Grpc => "http://collector:4317",
        };
        invalid(variable, format!("{problem}; give a URL as {example}"))
    };
    let mut text = Cow::Borrowed(variable.text.trim());
    if protocol == OtlpProtocol::Grpc && !text.contains("://") {
        // As gRPC's own libraries take it; then alone the variable says something that the scheme does not.
        let is_insecure = reader.truth_of(signal, "insecure");
        let scheme = if is_insecure { "http" } else { "https" };
        text = Cow::Owned(format!("{scheme}://{text}"));
    }
    let url: Uri = text.parse().map_err(|_| wrong("is no URL"))?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err(wrong("starts with neither http:// nor https://"));
    }
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
        return Err(wrong("is no URL"));
    };
    if url.host().is_none_or(str::is_empty) {
        return Err(wrong("names no host"));
    }
    if authority.as_str().contains('@') {
        return Err(wrong(
            "holds a user or a password, for which there is OTEL_EXPORTER_OTLP_HEADERS",
        ));
    }
    // The port of the scheme would be asked in its place. One that is empty is refused as well: gRPC sends the authority as it is.
    if named_port(&url).is_err() || authority.as_str().ends_with(':') {
        return Err(wrong(&NoSuchPort.to_string()));
    }
    if text.contains(['?', '#']) {
        return Err(wrong("has a query or a fragment"));
    }
    Ok(match protocol {
        OtlpProtocol::Grpc => format!("{scheme}://{authority}"),
        // The one for all signals is what their paths follow; a signal's own is taken as it is.
        OtlpProtocol::HttpProtobuf if own.is_some() => format!("{scheme}://{authority}{}", url.path()),
        OtlpProtocol::HttpProtobuf => {
            let base = url.path().trim_end_matches('/');
            format!("{scheme}://{authority}{base}/v1/{}", signal.name())
        }
    })
}

/// `name=value,name=value`, percent-encoded. Of a field that is given twice the last value counts.
fn headers(reader: &mut Reader<'_>, signal: Signal) -> Result<ExtraHeaders, SettingsError> {
    let Some(variable) = reader.variable_of(signal, "headers") else {
        return Ok(ExtraHeaders::default());
    };
    let wrong = |place: usize, problem: &dyn std::fmt::Display| {
        invalid(variable, format!("has an entry (number {place}) that {problem}"))
    };
    let mut fields: Vec<(usize, &str, String)> = Vec::new();
    let entries = (1..).zip(variable.text.split(',').map(str::trim));
    for (place, entry) in entries.filter(|(_, entry)| !entry.is_empty()) {
        let (name, value) = entry
            .split_once('=')
            .ok_or_else(|| wrong(place, &"is no name=value; give name=value,name=value"))?;
        let (name, value) = (name.trim(), decoded(value));
        let value = value.ok_or_else(|| wrong(place, &"is not percent-encoded as UTF-8"))?;
        let known = fields.len();
        fields.retain(|(_, other, _)| !other.eq_ignore_ascii_case(name));
        if fields.len() < known {
            let problem =
                format!("gives the field of its entry number {place} twice, so the last value counts");
            reader.warn(variable, &problem);
        }
        fields.push((place, name, value));
    }
    let mut headers = ExtraHeaders::default();
    for (place, name, value) in fields {
        let added = headers.add(name, &value);
        added.map_err(|problem| wrong(place, &problem))?;
    }
    Ok(headers)
}

/// It is read at the start: where it held nothing, all public authorities would be trusted in its place.
fn certificate(reader: &Reader<'_>, signal: Signal) -> Result<Option<PathBuf>, SettingsError> {
    let Some(variable) = reader.variable_of(signal, "certificate") else {
        return Ok(None);
    };
    let path = PathBuf::from(variable.text.trim());
    let files = TlsFiles {
        ca_file: Some(path.clone()),
        ..TlsFiles::default()
    };
    let checked = files.check().map(|()| Some(path));
    checked.map_err(|problem| invalid(variable, problem.problem))
}

fn gzip(reader: &mut Reader<'_>, signal: Signal) -> bool {
    let problem = "names a compression that there is not, so it counts as not set; there are gzip and none";
    let read = reader.understood(signal, "compression", problem, |name| {
        match name.to_ascii_lowercase().as_str() {
            "gzip" => Some(true),
            "none" => Some(false),
            _ => None,
        }
    });
    read.unwrap_or(false)
}

/// A text without its percent-encoding; `None` where that is broken, or gives no UTF-8.
pub(super) fn decoded(text: &str) -> Option<String> {
    let is_escaped = |after: &str| {
        let digits = after.as_bytes().get(..2).unwrap_or_default();
        digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit)
    };
    if !text.split('%').skip(1).all(is_escaped) {
        return None;
    }
    let decoded = percent_decode_str(text.trim()).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// Shows nothing of the variable's text.
fn invalid(variable: &Variable, problem: String) -> SettingsError {
    SettingsError::Invalid {
        option: variable.name.to_uppercase(),
        origin: Origin::Variable(variable.name.clone()),
        problem,
    }
}
