//! Health, readiness and liveness. They need no key and show none.
use std::time::SystemTime;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use actors::environment::EnvironmentStatus;
use actors::store::{StoreHandle, StoreTrouble};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::routes::{Services, answer};
use crate::server::tls::{CertificateState, ServedCertificate};
use crate::service_state::ConfigurationStanding;

const ERROR: &str = "error";

const NOT_UPDATED: &str = "environment document(s) not updated.";
const STALE: &str = "environment document(s) stale.";
const NO_ANSWER: &str = "the environments do not answer.";
const DRAINING: &str = "the process is about to end.";
const ACTOR_LOST: &str = "a part of the process has failed; it is about to end.";

/// The body of the health route: that of the Edge Proxy 2.23, and `environments`.
#[derive(Debug, Serialize)]
struct Health {
    status: &'static str,
    reason: Option<&'static str>,
    last_successful_update: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environments: Option<Vec<EnvironmentHealth>>,
    /// Absent where the configuration as it is now is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<ConfigurationHealth>,
    /// Absent where documents are stored, and where no `persistence.directory` is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    persistence: Option<PersistenceHealth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<CertificateHealth>,
}

/// What keeps documents from being stored. They are served all the same, so it fails no check.
#[derive(Debug, Serialize)]
struct PersistenceHealth {
    status: &'static str,
    detail: String,
}

/// The certificate of `server.tls`. Flags are answered whatever its state is, so it fails no check.
#[derive(Debug, Serialize)]
struct CertificateHealth {
    status: &'static str,
    expires: String,
}

/// What has become of the newest configuration, where not all of it is in force.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ConfigurationHealth {
    /// `error` or `restart needed`.
    pub status: &'static str,
    /// Why, or which options wait for a restart.
    pub detail: String,
}

#[derive(Debug, Serialize)]
struct EnvironmentHealth {
    name: Option<String>,
    id: Option<Box<RawValue>>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    subscribers: usize,
}

#[derive(Debug, Serialize)]
struct Probe {
    status: &'static str,
    reason: Option<&'static str>,
}

/// Answers 200 while any environment's document is served and fresh; the body names every environment.
///
/// # Errors
/// 503 where the App was built without its services.
pub(super) async fn health(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let shared = &Services::of(&request)?.shared;
    let (statuses, counts) = tokio::join!(shared.environments.statuses(), shared.hub.counts());
    let subscribers = counts.map(|counts| counts.by_environment).unwrap_or_default();
    let reason = match &statuses {
        Err(_) => Some(NO_ANSWER),
        Ok(statuses) if statuses.iter().any(|status| status.is_served && status.is_fresh) => None,
        Ok(statuses) if statuses.iter().any(|status| status.is_served) => Some(STALE),
        Ok(_) => Some(NOT_UPDATED),
    };
    let statuses = statuses.unwrap_or_default();
    let newest = statuses
        .iter()
        .filter_map(|status| status.last_successful_update)
        .max();
    let body = Health {
        status: if reason.is_none() { "ok" } else { ERROR },
        reason,
        last_successful_update: newest.and_then(to_iso),
        environments: Some(
            statuses
                .into_iter()
                .map(|status| {
                    let subscribers = subscribers.get(&status.environment).copied();
                    EnvironmentHealth::new(status, subscribers.unwrap_or(0))
                })
                .collect(),
        ),
        configuration: ConfigurationHealth::of(shared.state.configuration()),
        persistence: shared
            .store
            .as_ref()
            .and_then(StoreHandle::trouble)
            .map(PersistenceHealth::of),
        certificate: shared.certificate.as_deref().map(CertificateHealth::of),
    };
    Ok(answered(&request, reason.is_none(), &body))
}

/// Answers 200 while any document is served, stale or not: in an outage of upstream every instance still answers right.
///
/// # Errors
/// 503 where the App was built without its services.
pub(super) async fn readiness(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let probe = Probe::of_readiness(Services::of(&request)?).await;
    Ok(answered(&request, probe.status != ERROR, &probe))
}

/// Answers as readiness does, for the checks that balancers make by default; a stale document is no news to them.
///
/// # Errors
/// 503 where the App was built without its services.
pub(super) async fn root(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let probe = Probe::of_readiness(Services::of(&request)?).await;
    if probe.status == ERROR {
        return Ok(answered(&request, false, &probe));
    }
    Ok(answer::json(request.path(), StatusCode::OK, r#"{"status":"ok"}"#))
}

/// Answers 200 while every actor lives.
///
/// # Errors
/// 503 where the App was built without its services.
pub(super) async fn liveness(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let alive = Services::of(&request)?.shared.state.is_alive();
    let probe = match alive {
        true => Probe::OK,
        false => Probe::error(ACTOR_LOST),
    };
    Ok(answered(&request, alive, &probe))
}

impl Probe {
    const OK: Self = Self {
        status: "ok",
        reason: None,
    };

    fn error(reason: &'static str) -> Self {
        Self {
            status: ERROR,
            reason: Some(reason),
        }
    }

    async fn of_readiness(Services { shared, options, .. }: &Services) -> Self {
        if shared.state.is_draining() {
            return Self::error(DRAINING);
        }
        let Ok(statuses) = shared.environments.statuses().await else {
            return Self::error(NO_ANSWER);
        };
        let is_served = statuses.iter().any(|status| status.is_served);
        let is_fresh = statuses.iter().any(|status| status.is_served && status.is_fresh);
        match (is_served, is_fresh) {
            (true, true) => Self::OK,
            (true, false) if options.with(|options| options.stale_is_unready) => Self::error(STALE),
            (true, false) => Self {
                status: "stale",
                reason: Some(STALE),
            },
            (false, _) => Self::error(NOT_UPDATED),
        }
    }
}

impl ConfigurationHealth {
    /// `None`: it is in force.
    pub(crate) fn of(standing: ConfigurationStanding) -> Option<Self> {
        let (status, detail) = match standing {
            ConfigurationStanding::InForce => return None,
            ConfigurationStanding::Refused(why) => (ERROR, why),
            ConfigurationStanding::NeedsRestart(options) => ("restart needed", options.join(", ")),
        };
        Some(Self { status, detail })
    }
}

impl PersistenceHealth {
    fn of(trouble: StoreTrouble) -> Self {
        let (status, detail) = match trouble {
            StoreTrouble::Waits(why) => ("waits", why),
            StoreTrouble::Fails(why) => (ERROR, why),
        };
        Self { status, detail }
    }
}

impl EnvironmentHealth {
    fn new(status: EnvironmentStatus, subscribers: usize) -> Self {
        Self {
            name: status.name,
            id: status.id.and_then(|id| RawValue::from_string(id).ok()),
            status: status.status,
            detail: status.detail,
            subscribers,
        }
    }
}

impl CertificateHealth {
    fn of(served: &ServedCertificate) -> Self {
        Self {
            status: match served.state_at(SystemTime::now()) {
                CertificateState::Expired => "expired",
                _ if served.has_refused() => "not renewed: the files cannot be used",
                CertificateState::ExpiresSoon => "expires soon",
                CertificateState::Valid => "ok",
            },
            expires: served.expires_text(),
        }
    }
}

fn answered(request: &HttpRequest, good: bool, body: &impl Serialize) -> HttpResponse {
    let status = if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    answer::json(
        request.path(),
        status,
        serde_json::to_vec(body).unwrap_or_default(),
    )
}

/// Writes a time as `2026-11-21T19:14:06Z`.
fn to_iso(time: SystemTime) -> Option<String> {
    let timestamp = Timestamp::try_from(time).ok()?;
    Some(timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
