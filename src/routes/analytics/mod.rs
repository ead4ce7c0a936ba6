//! `POST analytics/flags/`, of both versions: how often an SDK has evaluated which feature. Counted here, and sent on to
//! Flagsmith's API by [`actors::analytics`].
use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use actors::analytics::{Counting, LabelsRef};
use bytes::Bytes;

use crate::error::ApiError;
use crate::routes::resolve::{Known, resolve_known};
use crate::routes::{Services, answer, body};

mod counts;
mod entry;
mod values;

pub(crate) use counts::CountsError;
use counts::{evaluations, features};

/// Version 1: counts by feature. The answer has a body: an empty one makes the Java SDK send three times, and 204 makes those
/// for Kotlin and Flutter send again.
///
/// # Errors
/// See [`resolve_known`] and [`body::read`]; 400 for a body that is no object, or has too many counts.
pub(super) async fn post(request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    let (known, body) = read(&request, payload).await?;
    let counts = features(&body).map_err(ApiError::InvalidCounts)?;
    count(&request, &known, |counting, is_known| {
        for (feature, count) in &counts {
            counting.feature(feature, (*count).into(), is_known);
        }
    })?;
    Ok(answer::json(request.path(), StatusCode::OK, "{}"))
}

/// Version 2: counts by feature, identity and whether the flag was enabled. Core answers 204.
///
/// # Errors
/// See [`resolve_known`] and [`body::read`]; 400 for a body that is no object with a list of evaluations, or has too many.
pub(super) async fn post_evaluations(
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let (known, body) = read(&request, payload).await?;
    let counts = evaluations(&body).map_err(ApiError::InvalidCounts)?;
    count(&request, &known, |counting, is_known| {
        for counted in &counts {
            counting.evaluation(counted.evaluation(), counted.count.into(), is_known);
        }
    })?;
    Ok(answer::nothing(request.path()))
}

/// Resolves the key first: 401 must not depend on what the body holds.
async fn read(request: &HttpRequest, payload: Payload) -> Result<(Known, Bytes), ApiError> {
    let known = match resolve_known(request).await {
        Ok(known) => known,
        Err(refused) => {
            body::discard(payload).await;
            return Err(refused);
        }
    };
    let body = body::read(request, payload, Services::of(request)?.body_limits()).await?;
    Ok((known, body))
}

/// Counts what `add` gives, of features that the environment has; before its first document, of all, until it is known.
fn count(
    request: &HttpRequest,
    known: &Known,
    add: impl FnOnce(&mut Counting<'_>, &dyn Fn(&str) -> bool),
) -> Result<(), ApiError> {
    let Some(tally) = Services::of(request)?.tally() else {
        return Ok(());
    };
    let environment = known.environment.as_deref();
    let is_known = |feature: &str| environment.is_none_or(|served| served.environment.has_feature(feature));
    let labels = LabelsRef::of(request.headers());
    tally.count(known.id, labels, |counting| add(counting, &is_known));
    Ok(())
}

/// What holds of every body: names come once, counts are what upstream can hold.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn fuzz(body: &[u8]) {
    use actors::analytics::MOST_COUNT;

    if let Ok(counts) = features(body) {
        let names: Vec<_> = counts.iter().map(|(feature, _)| feature).collect();
        assert!(names.is_sorted(), "names are in no order");
        assert!(
            names.windows(2).all(|pair| pair.first() != pair.last()),
            "a name comes twice"
        );
        assert!(
            counts.iter().all(|(_, count)| (1..=MOST_COUNT).contains(count)),
            "a count"
        );
    }
    if let Ok(counts) = evaluations(body) {
        assert!(
            counts
                .iter()
                .all(|counted| (1..=MOST_COUNT).contains(&counted.count)),
            "a count"
        );
    }
}
