//! Counter-based random numbers (Philox 4x32-10), so that what an image or an epoch draws depends on its place alone and
//! never on which thread got there first. Not for cryptography.
//!
//! Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011, section 3.3.

/// The independent uses of one seed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    /// The order of samples in an epoch.
    Shuffle = 1,
    /// Which samples are set aside for validation.
    Split = 2,
    /// The pictures of `shapes10`.
    Shapes10 = 3,
    /// Which images a contact sheet shows.
    ContactSheet = 4,
}

/// A sequence of random words, fixed by a seed, a stream and two words that say whose sequence it is.
#[derive(Clone, Debug)]
pub(crate) struct Philox {
    key: [u32; 2],
    counter: [u32; 4],
    block: [u32; 4],
    used: usize,
}

impl Philox {
    /// The sequence of the `place`-th user of `stream` under `seed`.
    pub(crate) fn new(seed: u64, stream: Stream, place: u64) -> Self {
        let [low, high] = halves(place);
        let counter = [0, low, high, stream as u32];
        Self {
            key: halves(seed),
            counter,
            block: [0; 4],
            used: 4,
        }
    }

    /// The next 32 random bits.
    pub(crate) fn word(&mut self) -> u32 {
        if self.used == 4 {
            self.block = philox4x32_10(self.counter, self.key);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }

    /// A number in `0..n`, by the multiply-and-shift method: its bias is below `n / 2^32`.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        halves(u64::from(self.word()) * u64::from(n))[1]
    }

    /// A number in `[0, 1)` with 24 random bits.
    pub(crate) fn unit(&mut self) -> f32 {
        let bits = self.word() >> 8;
        #[expect(
            clippy::cast_precision_loss,
            reason = "24 bits fit an f32's significand exactly"
        )]
        let value = bits as f32;
        value * (1.0 / 16_777_216.0)
    }

    /// A number in `[low, high)`.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Puts `items` in a random order (Fisher and Yates).
    pub(crate) fn shuffle(&mut self, items: &mut [u32]) {
        for last in (1..items.len()).rev() {
            let bound = u32::try_from(last + 1).expect("image counts are checked to fit u32");
            items.swap(last, self.below(bound) as usize);
        }
    }
}

/// The low and the high 32 bits.
fn halves(value: u64) -> [u32; 2] {
    let b = value.to_le_bytes();
    [
        u32::from_le_bytes([b[0], b[1], b[2], b[3]]),
        u32::from_le_bytes([b[4], b[5], b[6], b[7]]),
    ]
}

/// Ten rounds of the paper's bijection.
fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let [low0, high0] = halves(u64::from(counter[0]) * 0xD251_1F53);
        let [low1, high1] = halves(u64::from(counter[2]) * 0xCD9E_8D57);
        counter = [
            high1 ^ counter[1] ^ key[0],
            low1,
            high0 ^ counter[3] ^ key[1],
            low0,
        ];
        key = [
            key[0].wrapping_add(0x9E37_79B9),
            key[1].wrapping_add(0xBB67_AE85),
        ];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::philox4x32_10;

    #[test]
    fn agrees_with_the_known_answers_of_random123() {
        assert_eq!(
            philox4x32_10([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32_10([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        let pi = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
        let answer = [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1];
        assert_eq!(philox4x32_10(pi, [0xa409_3822, 0x299f_31d0]), answer);
    }
}
