//! Winograd's convolution `F(m x m, 3 x 3)`, stride 1, and both gradients (Lavin and Gray 2015, section 4): fewer
//! multiplications than [`super::conv2d`] for the same result, but for its rounding.
//!
//! `y = A^T [(G g G^T) (B^T d B)] A` for each tile of m x m outputs from (m + 2) x (m + 2) inputs d, summed over channels before it
//! is transformed back, so that a convolution is `(m + 2)^2` matrix products. The data gradient is the convolution of dy with
//! the filters turned by 180 degrees; the filters' gradient is the transpose of what the forward pass does to them,
//! `dg = G^T [sum over tiles of (B^T d B) (A dy A^T)] G`. Only of f32: the planes of f16 would lose too much.
//!
//! The CPU device takes tiles of m = 4 through all of it while they are in its cache.
//!
//! Multiplications of an output: 9 directly, 4 with m = 2, 2.25 with m = 4. The transforms of m = 2 add, subtract and halve, so
//! results are exact on whole numbers; those of m = 4 amplify rounding up to 32 times (derived in `verify`'s cases).

mod choice;
mod transforms;

use std::ops::Range;

use super::conv2d::{self, Checked, Conv2d};
use super::gemm::{self, Gemm};
use super::{Activation, check_len, elements, elementwise, row_windows, slice_rows};
use crate::buffer::{Buffer, Width};
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::Twin;

pub(super) use choice::{Pass, choose};
use transforms::{Images, Tiles, Transforms};

use crate::cpu::conv2d::Conv2dParams;
use crate::cpu::conv2d::winograd as fused;
use crate::cpu::winograd::FILTER;
pub use crate::cpu::winograd::Side;

const OP: &str = "winograd";

/// A convolution of 3 x 3 filters with stride 1, tile by tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Winograd {
    /// The convolution.
    pub conv: Conv2d,
    /// Its tiles.
    pub side: Side,
}

impl Winograd {
    /// `y = x * w`, plus the bias, then the activation.
    ///
    /// # Errors
    /// If the filters are not dense ones of 3 x 3 that move by 1 over at most 2 rows and columns of leading padding, if a buffer's
    /// length or dtype does not fit, memory runs out or the device fails.
    pub fn forward(
        &self,
        device: &Device,
        [x, w]: [&Buffer; 2],
        bias: Option<&Buffer>,
        activation: Activation,
    ) -> Result<Buffer> {
        let checked = self.check()?;
        check(x, "x", elements(&[self.conv.n, checked.image_len()]))?;
        check(w, "w", checked.filter_len())?;
        if let Some(bias) = bias {
            check(bias, "bias", self.conv.c_out)?;
        }
        if self.is_fused(device, &checked) {
            let twin: Twin<Conv2dParams> = match bias {
                Some(_) => fused::forward::<true>,
                None => fused::forward::<false>,
            };
            return conv2d::forward_by(twin, device, &checked, [x, w], bias, activation);
        }
        let filters = self.transforms(device).filter(&self.conv, w, false)?;
        let convolution = Convolution {
            from: inputs(&checked),
            to: outputs(&checked),
            filters,
            bias,
            activation,
        };
        self.convolve(device, &convolution, x)
    }

    /// `dx` from `dy` and the filters.
    ///
    /// # Errors
    /// As [`Winograd::forward`].
    pub fn data_gradient(&self, device: &Device, dy: &Buffer, w: &Buffer) -> Result<Buffer> {
        let checked = self.check()?;
        check(dy, "dy", elements(&[self.conv.n, checked.output_len()]))?;
        check(w, "w", checked.filter_len())?;
        if self.is_fused(device, &checked) {
            return conv2d::data_gradient_by(fused::data_gradient, device, &checked, [dy, w]);
        }
        let filters = self.transforms(device).filter(&self.conv, w, true)?;
        let before = checked.placement.before;
        let convolution = Convolution {
            from: Images {
                padding: before.map(|before| FILTER - 1 - before),
                ..outputs(&checked)
            },
            to: Images {
                padding: [0; 2],
                ..inputs(&checked)
            },
            filters,
            bias: None,
            activation: Activation::None,
        };
        self.convolve(device, &convolution, dy)
    }

    /// `dw` from the images and `dy`.
    ///
    /// # Errors
    /// As [`Winograd::forward`].
    pub fn weight_gradient(&self, device: &Device, x: &Buffer, dy: &Buffer) -> Result<Buffer> {
        let checked = self.check()?;
        check(x, "x", elements(&[self.conv.n, checked.image_len()]))?;
        check(dy, "dy", elements(&[self.conv.n, checked.output_len()]))?;
        if self.is_fused(device, &checked) {
            return conv2d::weight_gradient_by(fused::weight_gradient, device, &checked, [x, dy]);
        }
        let (inputs, outputs) = (inputs(&checked), outputs(&checked));
        let transforms = self.transforms(device);
        let groups = self.conv.groups;
        let mut sum: Option<Buffer> = None;
        for part in self.parts(device, &inputs, &outputs) {
            let tiles = self.tiles(&outputs, &part);
            let x = slice_rows(x, &part, inputs.len())?;
            let dy = slice_rows(dy, &part, outputs.len())?;
            let v = transforms.input(&inputs, tiles, &x)?;
            let dm = transforms.output_gradient(&outputs, tiles, &dy)?;
            let product = Gemm::new(
                self.conv.c_in / groups,
                self.conv.c_out / groups,
                tiles.count(),
            );
            let layers = self.side.planes() * groups;
            let du = gemm::batched(device, &product.transpose_a(), layers, [&v, &dm])?;
            match &sum {
                Some(sum) => elementwise::axpy(device, 1.0, &du, sum)?,
                None => sum = Some(du),
            }
        }
        let dw = device.alloc(checked.filter_len())?;
        match sum {
            Some(du) => transforms.filter_gradient(&self.conv, &du, &dw)?,
            None => elementwise::fill(device, &dw, 0.0)?,
        }
        Ok(dw)
    }

    /// The convolution's sizes, if they are such as Winograd's transforms are for.
    fn check(&self) -> Result<Checked> {
        let checked = self.conv.check()?;
        if is_suited(&checked) {
            return Ok(checked);
        }
        let expected = "dense windows of 3 x 3 with stride 1 and at most 2 rows and columns of leading padding";
        let got = format!("{:?}", self.conv.window);
        Err(Error::argument(OP, "window", expected, got))
    }

    /// Whether the CPU device does it in one pass from images to images, without planes in memory.
    fn is_fused(&self, device: &Device, checked: &Checked) -> bool {
        device.is_cpu() && self.side == Side::Four && has_whole_vectors(checked)
    }

    fn transforms<'a>(&self, device: &'a Device) -> Transforms<'a> {
        Transforms {
            device,
            side: self.side,
            groups: self.conv.groups,
        }
    }

    /// The tiles of a part of the batch, which cover the images that are written.
    fn tiles(&self, to: &Images, part: &Range<usize>) -> Tiles {
        let [y, x] = to.size.map(|size| size.div_ceil(self.side.outputs()));
        Tiles {
            n: part.len(),
            y,
            x,
        }
    }

    /// Parts of the batch of which neither images nor planes are longer than a binding.
    fn parts(
        &self,
        device: &Device,
        from: &Images,
        to: &Images,
    ) -> impl Iterator<Item = Range<usize>> + use<> {
        let tiles = self.tiles(to, &(0..1)).count();
        let planes = self.side.planes() * tiles * from.channels.max(to.channels);
        let lens = [from.len(), to.len(), planes];
        row_windows(device, Width::Word, self.conv.n, &lens)
    }

    /// A product for each plane, between the transforms, over the parts of the batch.
    fn convolve(&self, device: &Device, c: &Convolution<'_>, x: &Buffer) -> Result<Buffer> {
        let transforms = self.transforms(device);
        let groups = self.conv.groups;
        let y = device.alloc(elements(&[self.conv.n, c.to.len()]))?;
        for part in self.parts(device, &c.from, &c.to) {
            let tiles = self.tiles(&c.to, &part);
            let x = slice_rows(x, &part, c.from.len())?;
            let y = slice_rows(&y, &part, c.to.len())?;
            let v = transforms.input(&c.from, tiles, &x)?;
            let product = Gemm::new(
                tiles.count(),
                c.to.channels / groups,
                c.from.channels / groups,
            );
            let layers = self.side.planes() * groups;
            let m = gemm::batched(device, &product, layers, [&v, &c.filters])?;
            transforms.output(&c.to, tiles, [&m, &y], c.bias, c.activation)?;
        }
        Ok(y)
    }
}

/// Transformed filters, and the images that they are moved over and give.
struct Convolution<'a> {
    from: Images,
    to: Images,
    filters: Buffer,
    bias: Option<&'a Buffer>,
    activation: Activation,
}

/// Whether a convolution is one that the transforms are for.
fn is_suited(checked: &Checked) -> bool {
    let window = &checked.spec.window;
    window.size == [FILTER; 2]
        && window.stride == [1; 2]
        && window.dilation == [1; 2]
        && checked
            .placement
            .before
            .iter()
            .all(|&before| before < FILTER)
}

/// Whether the channels of a group are whole vectors, as the CPU device wants them.
fn has_whole_vectors(checked: &Checked) -> bool {
    let conv = &checked.spec;
    [conv.c_in, conv.c_out]
        .iter()
        .all(|channels| (channels / conv.groups).is_multiple_of(fused::CHANNELS))
}

fn inputs(checked: &Checked) -> Images {
    Images {
        size: checked.spec.input,
        channels: checked.spec.c_in,
        padding: checked.placement.before,
    }
}

fn outputs(checked: &Checked) -> Images {
    Images {
        size: checked.placement.out,
        channels: checked.spec.c_out,
        padding: [0; 2],
    }
}

fn check(buffer: &Buffer, argument: &'static str, len: usize) -> Result<()> {
    if buffer.width() != Width::Word {
        return Err(Error::argument(OP, argument, "numbers of 32 bits", "of 16"));
    }
    check_len(OP, argument, buffer, len)
}
