//! `GET` and `PUT /log-level`: what the process logs, changed while it runs. The change lasts until the configuration is read
//! again or the process ends: what is to last longer belongs into the configuration.
use actix_web::http::StatusCode;
use actix_web::web::{Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Map, Value};

use super::body;
use crate::error::{AdminFault, ApiError};
use crate::logging::{self, Level};
use crate::routes::answer;
use crate::routes::resource::{Verb, resource};
use crate::settings::LogLevel;

/// A body that names a level takes some twenty bytes.
const LONGEST_BODY: usize = 1024;

/// How long a level lasts that the configuration does not name.
const UNTIL: &str = "the configuration is read again, or the process ends";

#[derive(Debug, Serialize)]
struct Answer {
    level: &'static str,
    configured_level: &'static str,
    /// `None`: the level is the configuration's own.
    until: Option<&'static str>,
}

pub(super) fn configure(table: &mut ServiceConfig) {
    resource("/log-level").get(get).on(Verb::Put, put).register(table);
}

async fn get(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    answered(&request, logging::level())
}

/// Changes the level.
///
/// # Errors
/// 400 where the body names none.
async fn put(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let body = body::read(payload, LONGEST_BODY).await?;
    let level = asked(&body).ok_or(ApiError::Admin(AdminFault::Level))?;
    let before = logging::change_level(level);
    let now = logging::level();
    if let (Some(before), Some(now)) = (before, now)
        && before.in_force != now.in_force
    {
        let (level, configured) = (now.in_force.name(), now.configured.name());
        // Louder than a piece of news, so that it is there whichever of the two levels would hide it.
        log::error!(
            "the level of the log is {level} from now on, as the admin port was asked (the configuration says {configured})"
        );
    }
    answered(&request, now)
}

/// Reads the level that a body names.
fn asked(body: &[u8]) -> Option<LogLevel> {
    // The type is a map, because serde would read a derived struct from an array as well.
    let asked: Map<String, Value> = serde_json::from_slice(body).ok()?;
    LogLevel::from_name(asked.get("level")?.as_str()?.trim())
}

fn answered(request: &HttpRequest, level: Option<Level>) -> Result<HttpResponse, ApiError> {
    let Level { in_force, configured } = level.ok_or(ApiError::Admin(AdminFault::NoLog))?;
    let answer = Answer {
        level: in_force.name(),
        configured_level: configured.name(),
        until: (in_force != configured).then_some(UNTIL),
    };
    let body = serde_json::to_vec(&answer).unwrap_or_default();
    Ok(answer::json(request.path(), StatusCode::OK, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_names_a_level_by_pythons_names() {
        for (body, expected) in [
            (r#"{"level": "DEBUG"}"#, Some(LogLevel::Debug)),
            (r#"{"level": " warning ", "more": 1}"#, Some(LogLevel::Warning)),
            (r#"{"level": "notset"}"#, Some(LogLevel::NotSet)),
            (r#"{"level": "LOUD"}"#, None),
            (r#"{"level": 10}"#, None),
            (r#"{"Level": "DEBUG"}"#, None),
            (r#"["DEBUG"]"#, None),
            (r#""DEBUG""#, None),
            ("DEBUG", None),
            ("", None),
        ] {
            assert_eq!(asked(body.as_bytes()), expected, "{body}");
        }
    }
}
