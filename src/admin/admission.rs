//! Who may ask the admin port: whoever brings `admin.token`, where there is one, and no page of another origin in either case.
//!
//! A browser on the operator's machine reaches the port too, whatever page it shows. Such a page cannot read an answer, for
//! there is no CORS here; it could have requests sent all the same, and, where a name of its own comes to lead to this machine
//! (DNS rebinding), read the answers as its own. So a request must ask for an address or a name that no stranger can own, and
//! what a browser says of the page that sent it must not name another origin.
use std::net::{IpAddr, Ipv6Addr};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_SECURITY_POLICY, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN,
    REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use subtle::ConstantTimeEq as _;

use super::{Access, AdminContext};
use crate::error::{AdminFault, ApiError};
use crate::routes::answer;
use crate::settings::{ListenHost, Secret};

/// The most bytes of a head. Browsers send along what any service of this machine has set as cookies, for those know no ports.
const LARGEST_HEAD: usize = 16 * 1024;

/// What a browser says of the page that sent the request (W3C Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The two ways to bring the token; a browser asks its reader for the second.
const CHALLENGES: [HeaderValue; 2] = [
    HeaderValue::from_static(r#"Bearer realm="edge proxy, admin port""#),
    HeaderValue::from_static(r#"Basic realm="edge proxy, admin port", charset="UTF-8""#),
];

/// What a browser may do with an answer that says nothing of it by itself: nothing.
const POLICIES: [(HeaderName, HeaderValue); 5] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
];

/// Passes a request on, or refuses it, and says what a browser may do with the answer.
pub(super) async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let mut answer = match refusal(&request) {
        None => next.call(request).await?.map_into_boxed_body(),
        Some(error) => {
            let answer = refused(request.path(), &error);
            request.into_response(answer)
        }
    };
    let headers = answer.headers_mut();
    for (name, value) in POLICIES {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    }
    Ok(answer)
}

fn refused(path: &str, error: &ApiError) -> HttpResponse {
    let mut answer = answer::refused(path, error);
    if *error == ApiError::Admin(AdminFault::Token) {
        for challenge in CHALLENGES {
            answer.headers_mut().append(WWW_AUTHENTICATE, challenge);
        }
    }
    answer
}

fn refusal(request: &ServiceRequest) -> Option<ApiError> {
    let Some(context) = request.app_data::<AdminContext>() else {
        return Some(ApiError::Unavailable);
    };
    let access = context.access.newest();
    fault(request.uri(), request.headers(), &access).map(ApiError::Admin)
}

/// Finds why a request with this head is refused.
fn fault(target: &Uri, headers: &HeaderMap, access: &Access) -> Option<AdminFault> {
    if size(target, headers) > LARGEST_HEAD {
        return Some(AdminFault::Head);
    }
    if !is_of_own_origin(headers) {
        return Some(AdminFault::Origin);
    }
    match &access.token {
        Some(token) if !brings(headers, token) => Some(AdminFault::Token),
        // A page under another name does not have it.
        Some(_) => None,
        None if !asks_for_own_host(headers, &access.host) => Some(AdminFault::Host),
        None => None,
    }
}

/// How many bytes a head has, about.
fn size(target: &Uri, headers: &HeaderMap) -> usize {
    let target = target.path_and_query().map_or(0, |target| target.as_str().len());
    let fields = headers
        .iter()
        .map(|(name, value)| name.as_str().len().saturating_add(value.len()));
    fields.fold(target, usize::saturating_add)
}

/// Tells whether the request asks for an IP address, for `localhost`, or for the name that the port is configured to.
fn asks_for_own_host(headers: &HeaderMap, configured: &ListenHost) -> bool {
    let mut hosts = headers
        .get_all(HOST)
        .map(|host| host.to_str().unwrap_or_default());
    let is_own = |host: &str| {
        let name = without_port(host);
        let name = name.strip_suffix('.').unwrap_or(name);
        let is_configured =
            matches!(configured, ListenHost::Name(configured) if configured.eq_ignore_ascii_case(name));
        is_address(name) || name.eq_ignore_ascii_case("localhost") || is_configured
    };
    hosts.next().is_some_and(is_own) && hosts.next().is_none()
}

fn is_address(name: &str) -> bool {
    let in_brackets = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match in_brackets {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4()),
    }
}

/// Takes the port off the value of `Host`.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Tells whether no browser says that a page of another origin has sent this. A link that its reader has followed is no harm:
/// the page that it was on reads nothing.
fn is_of_own_origin(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let is_own = |origin: &HeaderValue| {
        // A front may have taken the TLS off.
        let authority = origin.to_str().ok().and_then(|origin| {
            origin
                .strip_prefix("http://")
                .or_else(|| origin.strip_prefix("https://"))
        });
        authority.is_some_and(|authority| host.is_some_and(|host| host.eq_ignore_ascii_case(authority)))
    };
    let says = |name: &HeaderName, value: &str| headers.get(name).is_some_and(|said| said == value);
    let is_of_another_site = says(&SEC_FETCH_SITE, "cross-site") || says(&SEC_FETCH_SITE, "same-site");
    headers.get_all(ORIGIN).all(is_own) && (!is_of_another_site || says(&SEC_FETCH_MODE, "navigate"))
}

/// Tells whether a request brings the token, as `Bearer` or as the password of `Basic`. The time of the comparison does not
/// tell where the two differ; it may tell the length, which is no secret.
fn brings(headers: &HeaderMap, token: &Secret) -> bool {
    let Some((scheme, given)) = headers.get(AUTHORIZATION).and_then(scheme_and_credentials) else {
        return false;
    };
    let is_the_token = |given: &[u8]| bool::from(given.ct_eq(token.reveal().as_bytes()));
    if scheme.eq_ignore_ascii_case(b"Bearer") {
        return is_the_token(given);
    }
    let decoded = if scheme.eq_ignore_ascii_case(b"Basic") {
        BASE64_STANDARD.decode(given).ok()
    } else {
        None
    };
    let password = decoded.as_deref().and_then(|decoded| {
        let colon = decoded.iter().position(|byte| *byte == b':')?;
        decoded.get(colon + 1..)
    });
    password.is_some_and(is_the_token)
}

/// Divides the value of `Authorization`, which may hold more than ASCII: a token is any text.
fn scheme_and_credentials(value: &HeaderValue) -> Option<(&[u8], &[u8])> {
    let value = value.as_bytes().trim_ascii();
    let end = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, credentials) = value.split_at_checked(end)?;
    Some((scheme, credentials.trim_ascii()))
}

#[cfg(test)]
mod tests;
