//! The fields that make a document an environment document.
use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::members::reads_members;
use super::{Document, DocumentError};
use crate::json::{Kind, decode_string};

/// The load-bearing fields, borrowed; lists are left as text.
pub(crate) struct Outline<'a> {
    /// JSON text.
    pub id: &'a str,
    pub name: Cow<'a, str>,
    pub name_json: &'a str,
    /// The client-side key, which identity keys start with.
    pub api_key: Cow<'a, str>,
    pub feature_states: &'a str,
    pub segments: &'a str,
    pub server_key_only_feature_ids: &'a str,
    /// The environment's setting where it has one, else the project's.
    pub hide_disabled_flags: bool,
    pub allow_client_traits: bool,
    pub stops_serving_flags: bool,
    pub composite_key_hashing: bool,
}

struct Project<'a> {
    segments: Option<&'a RawValue>,
    hide_disabled_flags: Option<&'a RawValue>,
    server_key_only_feature_ids: Option<&'a RawValue>,
    organisation: Option<&'a RawValue>,
}

reads_members!(Project {
    segments: "segments",
    hide_disabled_flags: "hide_disabled_flags",
    server_key_only_feature_ids: "server_key_only_feature_ids",
    organisation: "organisation",
});

struct Organisation<'a> {
    stop_serving_flags: Option<&'a RawValue>,
}

reads_members!(Organisation {
    stop_serving_flags: "stop_serving_flags"
});

impl<'a> Outline<'a> {
    /// Reads and checks the load-bearing fields.
    pub(crate) fn read(document: &'a Document) -> Result<Self, DocumentError> {
        let required = |name: &str| document.member(name).ok_or_else(|| DocumentError::missing(name));
        let feature_states = required("feature_states")?;
        if Kind::of(feature_states) != Kind::List {
            return Err(DocumentError::wrong_type("feature_states", "a list"));
        }
        let api_key = decode_string(required("api_key")?)
            .ok_or_else(|| DocumentError::wrong_type("api_key", "a string"))?;
        let project: Project<'a> = object("project", required("project")?)?;
        let organisation: Organisation<'a> = object(
            "project.organisation",
            project.organisation.map_or("{}", RawValue::get),
        )?;
        let hide_in_project = boolean("project.hide_disabled_flags", raw(project.hide_disabled_flags))?;
        let hide_in_environment = boolean("hide_disabled_flags", document.member("hide_disabled_flags"))?;
        Ok(Self {
            id: document.member("id").unwrap_or("null"),
            name_json: document.member("name").unwrap_or("null"),
            name: document
                .member("name")
                .and_then(decode_string)
                .unwrap_or_default(),
            api_key,
            feature_states,
            segments: list("project.segments", raw(project.segments))?,
            server_key_only_feature_ids: list(
                "project.server_key_only_feature_ids",
                raw(project.server_key_only_feature_ids),
            )?,
            hide_disabled_flags: hide_in_environment.or(hide_in_project).unwrap_or(false),
            allow_client_traits: boolean("allow_client_traits", document.member("allow_client_traits"))?
                .unwrap_or(true),
            stops_serving_flags: boolean(
                "project.organisation.stop_serving_flags",
                raw(organisation.stop_serving_flags),
            )?
            .unwrap_or(false),
            composite_key_hashing: document.member("use_identity_composite_key_for_hashing") != Some("false"),
        })
    }
}

fn raw(value: Option<&RawValue>) -> Option<&str> {
    value.map(RawValue::get)
}

/// An object's members.
fn object<'a, T: Deserialize<'a>>(field: &str, json: &'a str) -> Result<T, DocumentError> {
    if Kind::of(json) != Kind::Object {
        return Err(DocumentError::wrong_type(field, "an object"));
    }
    serde_json::from_str(json).map_err(|_| DocumentError::wrong_type(field, "an object"))
}

/// A list; missing and null mean an empty one.
fn list<'a>(field: &str, json: Option<&'a str>) -> Result<&'a str, DocumentError> {
    match json.map(|json| (Kind::of(json), json)) {
        Some((Kind::List, json)) => Ok(json),
        Some((Kind::Null, _)) | None => Ok("[]"),
        Some(_) => Err(DocumentError::wrong_type(field, "a list")),
    }
}

fn boolean(field: &str, json: Option<&str>) -> Result<Option<bool>, DocumentError> {
    match json {
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some("null") | None => Ok(None),
        Some(_) => Err(DocumentError::wrong_type(field, "a boolean")),
    }
}
