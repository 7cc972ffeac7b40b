//! Sequences of random numbers (of Philox, in the crate `philox`), so that what an image or an epoch draws depends on its
//! place alone and never on which thread got there first. Not for cryptography.

use philox::{halves, philox};

/// The independent uses of one seed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stream {
    /// The order of samples in an epoch.
    Shuffle = 1,
    /// Which samples are set aside for validation.
    Split = 2,
    /// The images of `shapes10`.
    Shapes10 = 3,
    /// Which images a contact sheet shows.
    ContactSheet = 4,
    /// The shifts of a picture of colours.
    ColourPicture = 5,
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
            self.block = philox(self.counter, self.key);
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
        philox::unit(self.word())
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
