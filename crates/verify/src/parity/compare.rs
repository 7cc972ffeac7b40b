//! Whether what came out is what was recorded, within the recorded tolerance.

use super::array::{Array, Elements};
use super::recorded::Expected;

/// The worst of a comparison.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Comparison {
    /// Largest error as a fraction of the tolerance; infinite where no error is tolerated.
    pub(super) error_over_tolerance: f64,
    /// What is wrong, if anything.
    pub(super) failure: Option<String>,
}

impl Comparison {
    fn failed(message: String) -> Self {
        Self {
            error_over_tolerance: f64::INFINITY,
            failure: Some(message),
        }
    }
}

/// Compares a whole array with a recorded one, or with the recorded samples of it.
pub(super) fn compare(name: &str, got: &Array, want: &Expected) -> Comparison {
    if got.shape != want.full_shape {
        let message = format!(
            "{name}: shape {:?}, expected {:?}",
            got.shape, want.full_shape
        );
        return Comparison::failed(message);
    }
    match (&got.elements, &want.values.elements) {
        (Elements::Integer(got), Elements::Integer(values)) => {
            integers(name, got, values, want.samples.as_deref())
        }
        _ => reals(name, got, want),
    }
}

fn integers(name: &str, got: &[i64], want: &[i64], samples: Option<&[usize]>) -> Comparison {
    let at = |i: usize| samples.map_or(i, |samples| samples[i]);
    match (0..want.len()).find(|&i| got[at(i)] != want[i]) {
        None => Comparison::default(),
        Some(i) => {
            let (at, got) = (at(i), got[at(i)]);
            Comparison::failed(format!("{name}[{at}]: got {got}, expected {}", want[i]))
        }
    }
}

fn reals(name: &str, got: &Array, want: &Expected) -> Comparison {
    let (got, values) = (got.to_f64(), want.values.to_f64());
    let (atol, rtol) = want.tolerance;
    let (mut worst, mut at) = (0.0, 0);
    for (i, &want_value) in values.iter().enumerate() {
        let place = want.samples.as_ref().map_or(i, |samples| samples[i]);
        let tolerance = if want.is_exact {
            0.0
        } else {
            atol + rtol * want_value.abs()
        };
        let error = error_over(got[place], want_value, tolerance);
        if error > worst {
            (worst, at) = (error, i);
        }
    }
    let mut comparison = Comparison {
        error_over_tolerance: worst,
        failure: None,
    };
    if worst > 1.0 {
        let place = want.samples.as_ref().map_or(at, |samples| samples[at]);
        comparison.failure = Some(format!(
            "{name}[{place}]: got {}, expected {}, {worst:.3} times the tolerance",
            got[place], values[at]
        ));
    }
    if let Some((l2, l2_rtol)) = want.l2 {
        let norm = got.iter().map(|x| x * x).sum::<f64>().sqrt();
        let error = error_over(norm, l2, l2_rtol * l2);
        comparison.error_over_tolerance = worst.max(error);
        if error > 1.0 && comparison.failure.is_none() {
            comparison.failure = Some(format!("{name}: norm {norm}, expected {l2}"));
        }
    }
    comparison
}

/// The error as a fraction of the tolerance: 0 for equal values (NaN equals NaN), infinite where one is not finite or
/// nothing is tolerated.
fn error_over(got: f64, want: f64, tolerance: f64) -> f64 {
    if got == want || got.is_nan() && want.is_nan() {
        return 0.0;
    }
    let error = (got - want).abs() / tolerance;
    if error.is_finite() && got.is_finite() {
        error
    } else {
        f64::INFINITY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(values: &[f64], absolute: f64, relative: f64) -> Expected {
        Expected {
            full_shape: vec![values.len()],
            values: Array::real([values.len()], values.to_vec()),
            samples: None,
            tolerance: (absolute, relative),
            is_exact: false,
            l2: None,
        }
    }

    fn is_accepted(got: &[f64], want: &Expected) -> bool {
        let got = Array::real([got.len()], got.to_vec());
        compare("y", &got, want).failure.is_none()
    }

    #[test]
    fn what_is_within_the_tolerance_is_accepted() {
        let want = expected(&[1.0, f64::NAN, f64::INFINITY], 0.125, 0.0);
        assert!(
            is_accepted(&[1.125, f64::NAN, f64::INFINITY], &want),
            "at its edge"
        );
        assert!(
            is_accepted(&[0.0], &expected(&[-0.0], 0.0, 0.0)),
            "the sign of zero"
        );
    }

    #[test]
    fn what_is_not_is_caught() {
        let want = expected(&[1.0, 2.0], 0.125, 0.0);
        for got in [
            &[1.25, 2.0][..],
            &[1.0, f64::NAN],
            &[1.0, f64::INFINITY],
            &[1.0],
        ] {
            assert!(!is_accepted(got, &want), "{got:?}");
        }
        let infinite = expected(&[f64::INFINITY], 1.0, 1.0);
        assert!(!is_accepted(&[1.0], &infinite), "a number for an infinity");
        let mut norm = expected(&[3.0, 4.0], 10.0, 0.0);
        norm.l2 = Some((5.0, 1e-4));
        assert!(is_accepted(&[3.0, 4.0], &norm), "the norm is 5");
        assert!(!is_accepted(&[3.0, 4.1], &norm), "the norm is not 5");
        let mut sampled = expected(&[7.0], 0.0, 0.0);
        (sampled.full_shape, sampled.samples) = (vec![3], Some(vec![2]));
        assert!(is_accepted(&[0.0, 0.0, 7.0], &sampled), "the sampled place");
        assert!(!is_accepted(&[7.0, 7.0, 0.0], &sampled), "other indices");
    }
}
