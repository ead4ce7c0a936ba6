//! What a document says beside what is evaluated, for those who look for a fault.
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::Document;

/// What of a project counts here.
#[derive(Deserialize)]
struct Project {
    #[serde(default, deserialize_with = "boolean")]
    enable_realtime_updates: Option<bool>,
}

/// Anything else than true and false says nothing.
fn boolean<'de, D: Deserializer<'de>>(value: D) -> Result<Option<bool>, D::Error> {
    Ok(serde_json::Value::deserialize(value)?.as_bool())
}

impl Document {
    /// How many identities have overrides, over all pages.
    pub fn identity_override_count(&self) -> usize {
        let count = |list| serde_json::from_str::<Vec<IgnoredAny>>(list).map_or(0, |list| list.len());
        self.identity_overrides().map(count).sum()
    }

    /// Whether upstream puts identity overrides into the document ("Use identity overrides in local evaluation", in the
    /// environment's SDK settings); `None`: it does not say.
    pub fn gives_identity_overrides(&self) -> Option<bool> {
        serde_json::from_str(self.member("use_identity_overrides_in_local_eval")?).ok()
    }

    /// Whether Flagsmith's realtime service tells of the project's changes; `None`: the document does not say.
    pub fn has_realtime_updates(&self) -> Option<bool> {
        let project: Project = serde_json::from_str(self.member("project")?).ok()?;
        project.enable_realtime_updates
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};
    use test_support::documents::FIXTURE;

    use super::*;

    fn document(change: impl FnOnce(&mut Value), further: &[Value]) -> Document {
        let mut first: Value = serde_json::from_str(FIXTURE).unwrap();
        change(&mut first);
        let pages = std::iter::once(&first).chain(further);
        Document::from_pages(pages.map(|page| Bytes::from(page.to_string())).collect()).unwrap()
    }

    #[test]
    fn overrides_are_counted_over_all_pages() {
        let own = document(|_| {}, &[]).identity_override_count();
        let page = json!({"identity_overrides": [{}, {}]});
        let none = json!({"identity_overrides": null});
        let all = document(|_| {}, &[page, none]);
        assert_eq!(all.identity_override_count(), own + 2);
        let without = document(
            |first| drop(first.as_object_mut().unwrap().remove("identity_overrides")),
            &[],
        );
        assert_eq!(without.identity_override_count(), 0);
    }

    #[test]
    fn settings_are_told_where_they_are_said() {
        for (value, expected) in [
            (json!(true), Some(true)),
            (json!(false), Some(false)),
            (json!("x"), None),
        ] {
            let said = document(
                |first| {
                    first["use_identity_overrides_in_local_eval"] = value.clone();
                    first["project"]["enable_realtime_updates"] = value;
                },
                &[],
            );
            assert_eq!(said.gives_identity_overrides(), expected);
            assert_eq!(said.has_realtime_updates(), expected);
        }
        let silent = document(
            |first| {
                first
                    .as_object_mut()
                    .unwrap()
                    .remove("use_identity_overrides_in_local_eval");
                first["project"]
                    .as_object_mut()
                    .unwrap()
                    .remove("enable_realtime_updates");
            },
            &[],
        );
        assert_eq!(
            (silent.gives_identity_overrides(), silent.has_realtime_updates()),
            (None, None)
        );
    }
}
