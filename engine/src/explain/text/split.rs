//! Where an identity falls among the options of a feature.
use std::fmt;

use super::super::report::{ExplainedOption, ExplainedSplit};
use super::super::words::{share, shortened};
use super::{WIDEST_NAME, line};

pub(super) fn write_split(f: &mut fmt::Formatter<'_>, own: &ExplainedSplit) -> fmt::Result {
    let mark = |is_chosen: bool| if is_chosen { "*" } else { " " };
    let range = |from: f64, below: f64| format!("{} to {} %", share(from), share(below));
    let ranges = own
        .options
        .iter()
        .map(|option| range(option.from, option.below).len());
    let width = ranges.max().unwrap_or(0);
    let variant = |option: &ExplainedOption| match option.variant.get() {
        "null" => "-".to_owned(),
        variant => shortened(variant).into_owned(),
    };
    let variants = own.options.iter().map(|option| variant(option).chars().count());
    let variant_width = variants.filter(|width| *width <= WIDEST_NAME).max().unwrap_or(0);
    for option in &own.options {
        let (mark, range) = (mark(option.is_chosen), range(option.from, option.below));
        let (variant, value) = (variant(option), shortened(option.value.get()));
        line(
            f,
            6,
            &format!("{mark} {range:width$}  {variant:variant_width$}  {value}"),
        )?;
    }
    line(
        f,
        6,
        &format!(
            "{} {:width$}  the control value",
            mark(own.is_control),
            "the rest"
        ),
    )
}
