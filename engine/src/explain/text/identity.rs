//! Who is asked about.
use std::fmt;

use hashbrown::HashMap;

use super::super::report::{ExplainedIdentity, ExplainedTrait};
use super::super::words::{quoted, shortened};
use super::{WIDEST_NAME, line};

pub(super) fn write_identity(f: &mut fmt::Formatter<'_>, own: &ExplainedIdentity) -> fmt::Result {
    let identifier = quoted(&own.identifier);
    line(
        f,
        0,
        &match own.is_transient {
            true => format!("an identity without an identifier, evaluated as {identifier}"),
            false => format!("identity {identifier}"),
        },
    )?;
    let width = |text: &str| Some(text.chars().count()).filter(|width| *width <= WIDEST_NAME);
    let keys = own.traits.iter().filter_map(|sent| width(&sent.key));
    let values = own.traits.iter().filter_map(|sent| width(sent.value.get()));
    let (keys, values) = (keys.max().unwrap_or(0), values.max().unwrap_or(0));
    // The last that is not null counts.
    let last: HashMap<&str, usize> = (0..)
        .zip(&own.traits)
        .filter(|(_, sent)| sent.r#type != "null")
        .map(|(place, sent)| (&*sent.key, place))
        .collect();
    for (place, sent) in (0..).zip(&own.traits) {
        let is_superseded = last.get(&*sent.key).is_some_and(|last| *last != place);
        let (key, value) = (shortened(&sent.key), sent.value.get());
        let what = what(sent, is_superseded);
        line(f, 4, &format!("{key:keys$}  {value:values$}  {what}"))?;
    }
    let overrides = match (&own.nearest, &*own.overrides) {
        (_, _) if own.is_transient => return Ok(()),
        (Some(near), []) => format!(
            "it has no override of its own; {} has, which differs in {}: misspelt?",
            quoted(&near.identifier),
            near.difference
        ),
        (None, []) => "it has no override of its own".to_owned(),
        (_, [one]) => format!("it has an override of its own, of {one}"),
        (_, overrides) => format!("it has overrides of its own, of {} features", overrides.len()),
    };
    line(f, 4, &overrides)
}

/// What a trait is to conditions.
fn what(sent: &ExplainedTrait, is_superseded: bool) -> String {
    let r#type = sent.r#type;
    match &sent.read_as {
        _ if is_superseded => format!("{}, and another value of the same key counts", r#type),
        None => r#type.to_owned(),
        Some(number) => format!("{}, read as the number {number}", r#type),
    }
}
