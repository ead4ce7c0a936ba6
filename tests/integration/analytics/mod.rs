//! `POST analytics/flags/` of both versions: what SDKs get, and what upstream gets.
mod forwarding;
mod routes;
mod stopping;

const V1: &str = "/api/v1/analytics/flags/";
const V2: &str = "/api/v2/analytics/flags/";
