//! A probe of a device: does its compiler, and the arithmetic below it, do what training needs?
//!
//! WGSL leaves open how floats of 16 bits are rounded, allows errors of built-in functions that a network would not survive, and
//! drivers have bugs. [`probe`] runs a few small kernels whose results are known and says what it saw; [`Device::avoid`] then keeps
//! the device from what did not hold. On the CPU device there are only the functions to look at.

mod f16;
mod functions;
mod products;

use crate::device::Device;
use crate::error::Result;
use crate::tile::TileKind;

pub use f16::F16Rounding;
pub use functions::FunctionError;
pub use products::ProductErrors;

/// What a device was seen to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// How it rounds floats of 16 bits; `None` where it has none.
    pub f16: Option<F16Rounding>,
    /// Whole-number products with each tile that was tried: those that suit the device, and others if those are wrong.
    pub products: Vec<ProductErrors>,
    /// How far built-in functions are off.
    pub functions: Vec<FunctionError>,
}

/// What a device had better not use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Avoided {
    /// Floats of 16 bits.
    pub f16: bool,
    /// Tiles of matrix products and convolutions.
    pub tiles: Vec<TileKind>,
}

impl Probe {
    /// What failed that there is something else for.
    #[must_use]
    pub fn avoided(&self) -> Avoided {
        let wrong = self.products.iter().filter(|product| !product.holds());
        Avoided {
            f16: self.f16.is_some_and(|f16| !f16.holds()),
            tiles: wrong.map(|product| product.tile).collect(),
        }
    }

    /// Whether the device can train: some tile multiplies right, and no function is off.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let can_multiply =
            self.products.is_empty() || self.products.iter().any(ProductErrors::holds);
        can_multiply && self.functions.iter().all(FunctionError::holds)
    }
}

/// Runs the probe. It compiles about a dozen pipelines, which takes milliseconds where the driver has them cached and a second or two
/// where it has not; keep the result for as long as adapter and driver stay the same.
///
/// # Errors
/// If the device has no room for a megabyte, or fails.
pub fn probe(device: &Device) -> Result<Probe> {
    Ok(Probe {
        f16: f16::probe(device)?,
        products: products::probe(device)?,
        functions: functions::probe(device)?,
    })
}
