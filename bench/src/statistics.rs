//! Medians and quartiles.

/// What was measured, sorted.
#[derive(Debug, Clone, Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Takes the values in any order.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The value below which this part of the sample lies, interpolated; NaN of an empty one.
    pub fn quantile(&self, part: f64) -> f64 {
        // Samples are far below 2^52 values.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let (position, index) = {
            let position = self.0.len().saturating_sub(1) as f64 * part;
            (position, position as usize)
        };
        let at = |index: usize| self.0.get(index).copied();
        let Some(low) = at(index) else { return f64::NAN };
        low + (at(index + 1).unwrap_or(low) - low) * position.fract()
    }

    /// The median.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The largest value.
    pub fn largest(&self) -> f64 {
        self.quantile(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated() {
        let sample = Sample::new([4.0, 1.0, 3.0, 2.0]);
        assert_eq!(
            (sample.quantile(0.0), sample.median(), sample.largest()),
            (1.0, 2.5, 4.0)
        );
        assert_eq!(Sample::new([7.0]).quantile(0.25), 7.0);
        assert!(Sample::default().median().is_nan());
    }
}
