//! Philox 4x32-10: random words as a pure function of a key and a counter, so that what is drawn depends neither on the
//! number of threads nor on the device. Who draws what (seeds, streams, places) is for the callers to say. Not for secrets.
//!
//! Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), section 3.3.
//! `shaders/shared/philox.wgsl` computes the same words.
//!
//! ```
//! let words = philox::philox([0; 4], [0; 2]);
//! assert_eq!(words[0], 0x6627_E8D5);
//! assert!((0.0..1.0).contains(&philox::unit(words[0])));
//! ```

/// Ten rounds over `counter` with `key`.
#[must_use]
#[inline]
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let lanes = philox_lanes::<1>(counter.map(|word| [word]), key);
    lanes.map(|[word]| word)
}

/// The same for `N` counters at once, word by word, so that the compiler can turn each operation into a vector's.
#[must_use]
#[inline(always)]
pub fn philox_lanes<const N: usize>(mut c: [[u32; N]; 4], mut key: [u32; 2]) -> [[u32; N]; 4] {
    for _ in 0..10 {
        let mut next = [[0; N]; 4];
        for lane in 0..N {
            let [low0, high0] = halves(u64::from(c[0][lane]) * 0xD251_1F53);
            let [low1, high1] = halves(u64::from(c[2][lane]) * 0xCD9E_8D57);
            next[0][lane] = high1 ^ c[1][lane] ^ key[0];
            next[1][lane] = low1;
            next[2][lane] = high0 ^ c[3][lane] ^ key[1];
            next[3][lane] = low0;
        }
        c = next;
        key[0] = key[0].wrapping_add(0x9E37_79B9);
        key[1] = key[1].wrapping_add(0xBB67_AE85);
    }
    c
}

/// The upper 24 bits of a word as a number in `[0, 1)`, exact in f32.
#[must_use]
#[inline]
pub fn unit(bits: u32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "24 bits are exact in f32")]
    let upper = (bits >> 8) as f32;
    upper * (1.0 / 16_777_216.0)
}

/// The low and the high 32 bits, as seeds are given to keys and counters.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the two halves of 64 bits are the purpose"
)]
#[must_use]
#[inline(always)]
pub fn halves(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `kat_vectors` of Random123, `philox4x32 10`.
    #[test]
    fn the_known_answers_of_random123() {
        assert_eq!(
            philox([0; 4], [0; 2]),
            [0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8],
            "zeros"
        );
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD],
            "ones"
        );
        let counter = [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344];
        assert_eq!(
            philox(counter, [0xA409_3822, 0x299F_31D0]),
            [0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1],
            "pi"
        );
    }

    #[test]
    fn lanes_equal_single_counters() {
        let counters = [[0, 1, 2], [3; 3], [4, 5, 6], [u32::MAX; 3]];
        let lanes = philox_lanes(counters, [7, 8]);
        for lane in 0..3 {
            let words = philox(counters.map(|word| word[lane]), [7, 8]);
            assert_eq!(lanes.map(|word| word[lane]), words, "lane {lane}");
        }
    }
}
