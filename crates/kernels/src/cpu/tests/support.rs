//! What the tests of twins share: fills, small whole numbers where sums of products should be exact whatever their
//! order, and comparison.

/// Whole numbers in -8..=8, different for each seed.
pub(super) fn integers(len: usize, seed: usize) -> Vec<f32> {
    (0..len)
        .map(|idx| {
            let mixed = (idx + 1)
                .wrapping_mul(2_654_435_761)
                .wrapping_add(seed * 97_531)
                >> 7;
            f32::from(u8::try_from(mixed % 17).unwrap()) - 8.0
        })
        .collect()
}

/// Values in -1..1 that are not whole numbers.
pub(super) fn fractions(len: usize, seed: usize) -> Vec<f32> {
    let (coarse, fine) = (integers(len, seed), integers(len, seed + 1));
    coarse
        .iter()
        .zip(fine)
        .map(|(a, b)| a / 9.0 + b / 101.0)
        .collect()
}

pub(super) fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// Asserts equality, naming the first element that differs.
pub(super) fn assert_equal(what: &str, got: &[f32], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}: length");
    for (idx, (&got, &want)) in got.iter().zip(want).enumerate() {
        assert!(
            f64::from(got) == want,
            "{what}[{idx}]: got {got}, want {want}"
        );
    }
}

/// The results of `work` on one thread and on three.
pub(super) fn on_threads<R: Send>(work: impl Fn() -> R + Send + Sync) -> [R; 2] {
    [1, 3].map(|n| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .unwrap();
        pool.install(&work)
    })
}
