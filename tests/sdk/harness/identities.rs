//! Many identities, whose traits decide differently.
use serde_json::{Map, Value, json};

/// So many identities, always the same: `identifier` and `traits` as drivers take them. Every trait is missing in some.
pub(crate) fn identities(count: usize) -> Vec<Value> {
    (0..count).map(identity).collect()
}

fn identity(number: usize) -> Value {
    let values = [
        ("plan", json!(["pro", "free", "Pro", ""])),
        ("age", json!([17, 18, 19, 40, "18", "7", -2, 18.5])),
        ("speed", json!([0.5, 0.25, 0.75, 1, "0.6"])),
        ("beta", json!([true, false, "true"])),
        ("country", json!(["de", "fr", "pt", "42", 42, "xx"])),
        (
            "email",
            json!(["ann1@example.com", "bob@example.com", "c3@elsewhere.org"]),
        ),
        (
            "version",
            json!(["1.9.9", "2.0.0", "2.0.0-rc.1", "10.0.1", "no version"]),
        ),
    ];
    let traits = (0..)
        .zip(values)
        .filter_map(|(place, (key, values)): (usize, _)| {
            let values = values.as_array()?;
            // A different period for each trait; the value after the last one: not sent.
            let value = values.get((number * (place + 1) + number / 7) % (values.len() + 1))?;
            Some((key.to_owned(), value.clone()))
        });
    json!({"identifier": format!("identity-{number}"), "traits": traits.collect::<Map<_, _>>()})
}
