//! Matrix products of whole numbers, which are exact in whatever order they are added, with every tile: a compiler that takes a
//! barrier or a guard wrongly shows here.

use crate::device::Device;
use crate::error::Result;
use crate::ops::gemm::{self, Gemm};
use crate::tile::{TileKind, TilePlan};

/// Rows, columns and terms: none a multiple of a tile's, and the last two multiples of four, as those of networks are.
const SIZES: [usize; 3] = [130, 68, 76];
/// Sums in one stretch, and in three.
const SPLITS: [u32; 2] = [1, 3];

/// What a tile's products were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductErrors {
    /// The tile.
    pub tile: TileKind,
    /// Elements of its products that are wrong.
    pub wrong: usize,
    /// Elements of its products.
    pub of: usize,
}

impl ProductErrors {
    /// Whether all were right.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.wrong == 0
    }
}

/// Multiplies with the tiles that suit the device, and, if all of those are wrong, with the others, the smallest first, until one
/// is right.
pub(super) fn probe(device: &Device) -> Result<Vec<ProductErrors>> {
    let Some(card) = device.card() else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for &tile in card.tiles {
        found.push(errors(device, tile)?);
    }
    for tile in device.fitting_tiles().into_iter().rev() {
        if found.iter().any(ProductErrors::holds) {
            break;
        }
        if !card.tiles.contains(&tile) {
            found.push(errors(device, tile)?);
        }
    }
    Ok(found)
}

/// The products with one tile, compared with sums of whole numbers.
fn errors(device: &Device, tile: TileKind) -> Result<ProductErrors> {
    let [m, n, k] = SIZES;
    let (a, b) = (whole_numbers(m * k, 3), whole_numbers(k * n, 5));
    let floats = |values: &[i16]| values.iter().map(|&x| f32::from(x)).collect::<Vec<f32>>();
    let operands = [device.upload(&floats(&a))?, device.upload(&floats(&b))?];
    let mut errors = ProductErrors {
        tile,
        wrong: 0,
        of: 0,
    };
    for splits in SPLITS {
        let plan = TilePlan { tile, splits };
        let before = device.common().plan();
        device.set_plan(Some(plan));
        let c = gemm::product(device, &Gemm::new(m, n, k), &operands[0], &operands[1]);
        device.set_plan(before);
        let c = c?;
        for (idx, value) in device.read::<f32>(&c)?.into_iter().enumerate() {
            let (row, column) = (idx / n, idx % n);
            let terms = (0..k).map(|j| a[row * k + j] * b[j * n + column]);
            errors.of += 1;
            errors.wrong += usize::from(value.to_bits() != f32::from(terms.sum::<i16>()).to_bits());
        }
    }
    Ok(errors)
}

/// Numbers from -8 to 8: 76 products of two of them stay far within 16 bits.
fn whole_numbers(len: usize, seed: u32) -> Vec<i16> {
    let mut state = seed;
    let mut next = || {
        // Knuth's multiplier; the upper bits of such a sequence are the good ones.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i16::from((state >> 24) as u8 % 17) - 8
    };
    (0..len).map(|_| next()).collect()
}
