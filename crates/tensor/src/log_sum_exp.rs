//! The logarithm of a softmax's denominator, on the host.

/// `ln sum exp(x)`, shifted by the largest so that nothing overflows.
pub fn log_sum_exp(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = terms.map(|x| libm::exp(x - largest)).sum();
    libm::log(sum) + largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_terms_do_not_overflow() {
        let sum = log_sum_exp([1000.0, 1000.0].into_iter());
        assert!((sum - 1000.0 - 2.0_f64.ln()).abs() < 1e-12, "{sum}");
        assert!(log_sum_exp([0.0, f64::NAN].into_iter()).is_nan(), "NaN");
    }
}
