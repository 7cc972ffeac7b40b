//! Whether a convolution is faster by Winograd's transforms, and with which tiles: by predicted time, as tiles of products are chosen.

use super::{FILTER, Side, Winograd, has_whole_vectors, inputs, is_suited, outputs};
use crate::buffer::Width;
use crate::device::{self, Device};
use crate::error::Result;
use crate::ops::conv2d::Checked;
use crate::ops::elements;
use crate::tile::{self, DISPATCH, Product};

/// A convolution's three products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ops) enum Pass {
    Forward,
    DataGradient,
    WeightGradient,
}

/// The tiles to compute a pass by, if that is asked for and takes less time than without.
pub(in crate::ops) fn choose(
    device: &Device,
    checked: &Checked,
    pass: Pass,
    width: Width,
) -> Result<Option<Winograd>> {
    let conv = checked.spec;
    let of = |side| Winograd { conv, side };
    if width != Width::Word || conv.n == 0 || !is_suited(checked) {
        return Ok(None);
    }
    match device.common().options.winograd {
        device::Winograd::Never => Ok(None),
        device::Winograd::Always(side) => Ok(Some(of(side))),
        device::Winograd::Auto if device.is_cpu() => {
            Ok(pays_on_cpu(checked).then_some(of(Side::Four)))
        }
        device::Winograd::Auto => {
            let direct = direct_product(checked, pass)?;
            let mut fastest = (tile::predicted_seconds(device, &direct), None);
            for winograd in Side::ALL.map(of) {
                let seconds = winograd.predicted_seconds(device, checked, pass)?;
                if seconds < fastest.0 {
                    fastest = (seconds, Some(winograd));
                }
            }
            Ok(fastest.1)
        }
    }
}

/// What transforming a tile of one channel, there and back, takes on the CPU device: as long as its products with so many others.
const TRANSFORM: usize = 32;

/// What transforming a filter takes, once a batch, in the same measure: images of 4 x 4 in batches of 128 are no faster by transforms
/// than directly.
const FILTER_TRANSFORM: usize = 128;

/// Whether the CPU device is faster by transforms than directly, by the multiplications of a batch and a group.
fn pays_on_cpu(checked: &Checked) -> bool {
    let (conv, [rows, columns]) = (&checked.spec, checked.placement.out);
    let [group_in, group_out] = [conv.c_in, conv.c_out].map(|channels| channels / conv.groups);
    let outputs = Side::Four.outputs();
    let tiles = conv.n * rows.div_ceil(outputs) * columns.div_ceil(outputs);
    // Taps on padding are left out, of large batches.
    let taps = [rows, columns].map(|size| (FILTER * size).saturating_sub(2));
    let direct = elements(&[conv.n, taps[0], taps[1], group_in, group_out]);
    let products = elements(&[tiles + FILTER_TRANSFORM, group_in, group_out]);
    let transforms = elements(&[tiles, TRANSFORM, group_in + group_out]);
    has_whole_vectors(checked)
        && elements(&[Side::Four.planes(), products.saturating_add(transforms)]) < direct
}

/// The product of a group that a pass is without the transforms.
fn direct_product(checked: &Checked, pass: Pass) -> Result<Product> {
    let (images, results, conv) = (inputs(checked), outputs(checked), &checked.spec);
    let [pixels_in, pixels_out] = [images, results].map(|i| conv.n * i.size[0] * i.size[1]);
    let [group_in, group_out] = [conv.c_in, conv.c_out].map(|channels| channels / conv.groups);
    let taps = FILTER * FILTER;
    let (kernel, sizes) = match pass {
        Pass::Forward => ("conv2d_forward", [pixels_out, group_out, taps * group_in]),
        Pass::DataGradient => (
            "conv2d_data_gradient",
            [pixels_in, group_in, taps * group_out],
        ),
        Pass::WeightGradient => (
            "conv2d_weight_gradient",
            [taps * group_in, group_out, pixels_out],
        ),
    };
    Product::new(kernel, sizes, conv.groups)
}

impl Winograd {
    /// How long a pass is expected to take: its products, the traffic of what the transforms read and write, their dispatches.
    fn predicted_seconds(&self, device: &Device, checked: &Checked, pass: Pass) -> Result<f64> {
        let (images, results) = (inputs(checked), outputs(checked));
        let to = if pass == Pass::DataGradient {
            images
        } else {
            results
        };
        let tiles = self.tiles(&to, &(0..self.conv.n)).count();
        let [group_in, group_out] =
            [images, results].map(|images| images.channels / self.conv.groups);
        let sizes = match pass {
            Pass::Forward => [tiles, group_out, group_in],
            Pass::DataGradient => [tiles, group_in, group_out],
            Pass::WeightGradient => [group_in, group_out, tiles],
        };
        let layers = self.side.planes() * self.conv.groups;
        let product = Product::new("gemm", sizes, layers)?;
        let planes = self.side.planes() * tiles;
        let words = [images, results].map(|images| {
            // Once as images; as planes they are written and read, or the other way round.
            self.conv.n * images.len() + 2 * planes * images.channels
        });
        let seconds = tile::predicted_seconds(device, &product);
        Ok(seconds + tile::traffic_seconds(device, 4 * (words[0] + words[1])) + 3.0 * DISPATCH)
    }
}
