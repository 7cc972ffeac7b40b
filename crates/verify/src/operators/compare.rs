//! The comparer that all checks rest on, and the tolerance it is given.

/// What one check of one case on one device found.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was compared: `forward`, `backward NAME` or `twin …`.
    pub check: String,
    /// Worst error found, as a fraction of the values' magnitude.
    pub error: f64,
    /// The most that rounding explains, on the same scale.
    pub tolerance: f64,
    /// Whether the error is within the tolerance and the values are worth comparing.
    pub passed: bool,
    /// Why not, if there is more to say than the numbers.
    pub note: String,
}

/// The relative error that `terms` f32 terms can accumulate: `4 * 2^-24 * (2 + sqrt(terms))`.
///
/// Each of the `terms` additions rounds by at most `2^-24` of the running sum; such errors add like a random walk
/// (`sqrt`), two roundings are there in any case (a product and the store), and 4 covers the tail. It is the rule of the
/// recorded PyTorch cases. No terms: the result must be exact.
#[must_use]
pub fn tolerance(terms: usize) -> f64 {
    if terms == 0 {
        0.0
    } else {
        4.0 * 2.0_f64.powi(-24) * (2.0 + (terms as f64).sqrt())
    }
}

/// Compares element by element. The error is the largest difference over `magnitude`.
pub fn compare(
    check: impl Into<String>,
    got: &[f64],
    want: &[f64],
    magnitude: f64,
    tolerance: f64,
) -> Row {
    let row = |error: f64, passed, note: String| Row {
        check: check.into(),
        error,
        tolerance,
        passed,
        note,
    };
    if got.len() != want.len() {
        return row(
            f64::INFINITY,
            false,
            format!("{} elements, expected {}", got.len(), want.len()),
        );
    }
    let magnitude = if magnitude > 0.0 { magnitude } else { 1.0 };
    let (mut worst, mut at) = (0.0, 0);
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let same = got == want || got.is_nan() && want.is_nan();
        let error = if same {
            0.0
        } else {
            (got - want).abs() / magnitude
        };
        // A NaN that should not be there is the worst error there is.
        let error = if error.is_nan() { f64::INFINITY } else { error };
        if error > worst {
            (worst, at) = (error, i);
        }
    }
    let zeros = want.iter().filter(|x| **x == 0.0).count();
    if want.len() >= 16 && zeros * 20 > want.len() * 19 {
        return row(
            worst,
            false,
            format!(
                "{zeros} of {} expected values are zero: nothing is proven",
                want.len()
            ),
        );
    }
    let passed = worst <= tolerance;
    let note = if passed {
        String::new()
    } else {
        format!("at {at}: got {}, expected {}", got[at], want[at])
    };
    row(worst, passed, note)
}

/// The largest absolute value of those that are finite; 0 of none.
pub(super) fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, x| {
        if x.is_finite() {
            x.abs().max(most)
        } else {
            most
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comparer_accepts_what_it_should() {
        let want: Vec<f64> = (1..100).map(f64::from).collect();
        let near: Vec<f64> = want.iter().map(|x| x + 1e-7).collect();
        assert!(
            compare("", &want, &want, 99.0, 0.0).passed,
            "equal is exact"
        );
        assert!(
            compare("", &near, &want, 99.0, 1e-8).passed,
            "within the tolerance"
        );
        assert!(
            compare("", &[f64::NAN], &[f64::NAN], 1.0, 0.0).passed,
            "NaN is NaN"
        );
    }

    #[test]
    fn the_comparer_catches_what_it_should() {
        let want: Vec<f64> = (1..100).map(f64::from).collect();
        let mut one_off = want.clone();
        one_off[57] += 1e-3;
        assert!(
            !compare("", &one_off, &want, 99.0, 1e-6).passed,
            "one element of many"
        );
        assert!(
            !compare("", &want[1..], &want, 99.0, 1.0).passed,
            "a length"
        );
        assert!(!compare("", &[f64::NAN], &[1.0], 1.0, 1e9).passed, "a NaN");
        assert!(
            !compare("", &[1.0], &[f64::INFINITY], 1.0, 1e9).passed,
            "an infinity"
        );
        assert!(
            !compare("", &[0.0; 99], &[0.0; 99], 1.0, 1e9).passed,
            "nothing but zeros"
        );
    }
}
