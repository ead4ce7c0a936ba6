//! The sections that the Edge Proxy 2.23 does not have.
use std::time::Duration;

use super::super::field::{Field, duration};
use super::super::sources::Sources;
use super::super::url::base_url;
use super::super::{NotifySpread, ProxyProtocol, RealtimeSettings, Secret};
use super::Read;

impl Sources {
    /// Reads `realtime`.
    pub(in crate::settings) fn realtime(&self) -> Read<RealtimeSettings> {
        let token = self
            .field("realtime.authentication_token")
            .map(|field| field.text())
            .transpose()?;
        Ok(RealtimeSettings {
            authentication_token: token.map(Secret::new),
            upstream_url: self
                .field("realtime.upstream_url")
                .map(|field| base_url(&field, "https://realtime.flagsmith.com/"))
                .transpose()?,
            max_stream_age: self.max_stream_age()?,
            notify_spread: self.notify_spread()?,
            max_subscribers: self
                .field("realtime.max_subscribers")
                .map(|field| field.integer(0, u32::MAX))
                .transpose()?
                .map(|number| usize::try_from(number).unwrap_or(usize::MAX)),
        })
    }

    fn max_stream_age(&self) -> Read<Option<Duration>> {
        let Some(field) = self.field("realtime.max_stream_age_seconds") else {
            return Ok(Some(Duration::from_secs(30)));
        };
        match field.number()? {
            never if never < 0.0 => Ok(None),
            // Streams would end as fast as clients can open them.
            short if short < 1.0 => Err(field.invalid("must be at least 1 (seconds), or negative for never")),
            seconds => Ok(Some(duration(seconds))),
        }
    }

    /// Reads `api_poll_unconditional_seconds`; `None`: `auto`.
    pub(in crate::settings) fn api_poll_unconditional(&self) -> Read<Option<Duration>> {
        let Some(field) = self
            .field("api_poll_unconditional_seconds")
            .filter(|field| !is_auto(field))
        else {
            return Ok(None);
        };
        match field.number() {
            Ok(seconds) if seconds >= 0.0 => Ok(Some(duration(seconds))),
            _ => Err(field.invalid("must be a number of seconds, 0 or more, or \"auto\"")),
        }
    }

    fn notify_spread(&self) -> Read<NotifySpread> {
        let Some(field) = self
            .field("realtime.notify_spread_ms")
            .filter(|field| !is_auto(field))
        else {
            return Ok(NotifySpread::Auto);
        };
        match field.number() {
            Ok(milliseconds) if milliseconds >= 0.0 => {
                Ok(NotifySpread::Fixed(duration(milliseconds / 1000.0)))
            }
            _ => Err(field.invalid("must be a number of milliseconds, 0 or more, or \"auto\"")),
        }
    }

    /// Reads `server.proxy_protocol`: `required`, or whether it is on.
    pub(in crate::settings) fn proxy_protocol(&self) -> Read<ProxyProtocol> {
        let Some(field) = self.field("server.proxy_protocol") else {
            return Ok(ProxyProtocol::Off);
        };
        let text = field.value().as_str().unwrap_or_default().trim();
        if text.eq_ignore_ascii_case("required") {
            return Ok(ProxyProtocol::Required);
        }
        match field.boolean() {
            Ok(true) => Ok(ProxyProtocol::On),
            Ok(false) => Ok(ProxyProtocol::Off),
            Err(_) => Err(field.invalid("must be off, on or required")),
        }
    }

    /// Reads `forward_identities`.
    pub(in crate::settings) fn forward_identities(&self) -> Read<bool> {
        self.boolean("forward_identities", false)
    }
}

fn is_auto(field: &Field<'_>) -> bool {
    let text = field.value().as_str();
    text.is_some_and(|text| text.trim().eq_ignore_ascii_case("auto"))
}
