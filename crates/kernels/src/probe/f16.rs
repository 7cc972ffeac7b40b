//! Floats of 16 bits: is 1e6 infinite, and are ties rounded to even?
//!
//! Mixed precision finds a loss scale that is too high by the infinite gradients that it makes. Where a conversion saturates at
//! 65,504 instead, as rounding towards zero does, there are none, and the scale doubles for ever.

use crate::buffer::Width;
use crate::device::Device;
use crate::error::Result;
use crate::ops::cast;

/// What conversions to floats of 16 bits do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct F16Rounding {
    /// Whether what is too large becomes infinite.
    pub overflows: bool,
    /// Whether a number half-way between two of them goes to the even one.
    pub ties_to_even: bool,
    /// Whether numbers under 2^-14 are kept; where they become 0 instead, training needs a larger loss scale.
    pub keeps_subnormals: bool,
}

/// Numbers and what they have to become: the largest one, and what is beyond it by half a unit of its last place and more.
const OVERFLOW: [(f32, f32); 5] = [
    (65_504.0, 65_504.0),
    (65_519.0, 65_504.0),
    (65_520.0, f32::INFINITY),
    (1e6, f32::INFINITY),
    (-1e6, f32::NEG_INFINITY),
];
/// Between two numbers and as far from both; then nearer to one of them.
const TIES: [(f32, f32); 6] = [
    (2049.0, 2048.0),
    (2051.0, 2052.0),
    (-2049.0, -2048.0),
    (-2051.0, -2052.0),
    (2049.5, 2050.0),
    (2050.5, 2050.0),
];
/// The least number of full precision and the least of all, 2^-14 and 2^-24, and one between them.
const SUBNORMALS: [(f32, f32); 3] = [
    (6.103_515_6e-5, 6.103_515_6e-5),
    (5.960_464_5e-8, 5.960_464_5e-8),
    (3.051_757_8e-5, 3.051_757_8e-5),
];

impl F16Rounding {
    /// Whether mixed precision may rely on them.
    #[must_use]
    pub const fn holds(self) -> bool {
        self.overflows && self.ties_to_even
    }
}

/// Converts the tables' numbers there and back. `None` where the device has no such floats.
pub(super) fn probe(device: &Device) -> Result<Option<F16Rounding>> {
    if !device.has_f16() {
        return Ok(None);
    }
    let pairs = [&OVERFLOW[..], &TIES, &SUBNORMALS].concat();
    let inputs: Vec<f32> = pairs.iter().map(|pair| pair.0).collect();
    let f16 = cast::forward(device, &device.upload(&inputs)?, Width::F16)?;
    let outputs = device.read::<f32>(&cast::forward(device, &f16, Width::Word)?)?;
    let mut outputs = outputs.into_iter();
    let mut holds = |table: &[(f32, f32)]| {
        // Every number of the table is taken, so that the next table finds its own.
        let equal: Vec<bool> = table
            .iter()
            .zip(outputs.by_ref())
            .map(|(&(_, expected), output)| output.to_bits() == expected.to_bits())
            .collect();
        equal.into_iter().all(|equal| equal)
    };
    Ok(Some(F16Rounding {
        overflows: holds(&OVERFLOW),
        ties_to_even: holds(&TIES),
        keeps_subnormals: holds(&SUBNORMALS),
    }))
}
