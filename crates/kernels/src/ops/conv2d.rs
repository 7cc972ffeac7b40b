//! Two-dimensional convolution over `[n, h, w, c]`, with groups, strides, dilation and padding, and both gradients
//! (Krizhevsky 2012, section 3.5; as an implicit matrix product, Chetlur 2014, section 3).
//!
//! `y[n, oy, ox, o] = bias[o] + sum over ky, kx, i of x[n, oy s - p + ky d, ox s - p + kx d, i] w[ky, kx, i, o]`, where
//! output channel o sees the input channels i of its group. x: `[n, h, w, c_in]`, w: `[kh, kw, c_in / groups, c_out]`,
//! y: `[n, out_h, out_w, c_out]`. A batch longer than a binding is taken in parts.

use std::ops::Range;

use shaders::variants::{Conv2d as Family, Tile};

use super::gemm;
use super::window::{Placement, Window};
use super::winograd::{self, Pass};
use super::{Activation, check_len, elements, elementwise, row_windows, size, slice_rows};
use crate::buffer::{Buffer, Width};
use crate::cpu;
use crate::cpu::conv2d::Conv2dParams;
use crate::cpu::gemm::GemmParams;
use crate::device::Device;
use crate::error::{Error, Result};
use crate::kernel::{Kernel, Twin};
use crate::tile::{self, Plan, Product};

const OP: &str = "conv2d";

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv2d {
    /// Images.
    pub n: usize,
    /// Rows and columns of an image.
    pub input: [usize; 2],
    /// Channels of an image.
    pub c_in: usize,
    /// Filters.
    pub c_out: usize,
    /// The filters' size, and how they move.
    pub window: Window,
    /// Groups of channels that do not see each other; divides `c_in` and `c_out`.
    pub groups: usize,
}

/// A convolution whose sizes fit together.
#[derive(Clone, Copy)]
pub(super) struct Checked {
    pub(super) spec: Conv2d,
    pub(super) placement: Placement,
    params: Conv2dParams,
}

impl Conv2d {
    /// Rows and columns of the output.
    ///
    /// # Errors
    /// If the window does not fit the padded image.
    pub fn output(&self) -> Result<[usize; 2]> {
        Ok(self.window.place(OP, self.input)?.out)
    }

    pub(super) fn check(&self) -> Result<Checked> {
        let placement = self.window.place(OP, self.input)?;
        let divides = |channels: usize| self.groups > 0 && channels.is_multiple_of(self.groups);
        if !divides(self.c_in) || !divides(self.c_out) {
            let got = format!("{} in {} and {}", self.groups, self.c_in, self.c_out);
            return Err(Error::argument(
                OP,
                "groups",
                "a divisor of both numbers of channels",
                got,
            ));
        }
        let [h, w] = self.input;
        let [[kh, kw], [stride_h, stride_w], [dilation_h, dilation_w]] =
            [self.window.size, self.window.stride, self.window.dilation];
        let ([out_h, out_w], [pad_top, pad_left]) = (placement.out, placement.before);
        let params = Conv2dParams {
            n: size(OP, "n", self.n)?,
            h: size(OP, "h", h)?,
            w: size(OP, "w", w)?,
            c_in: size(OP, "c_in", self.c_in)?,
            kh: size(OP, "kh", kh)?,
            kw: size(OP, "kw", kw)?,
            stride_h: size(OP, "stride", stride_h)?,
            stride_w: size(OP, "stride", stride_w)?,
            pad_top: size(OP, "padding", pad_top)?,
            pad_left: size(OP, "padding", pad_left)?,
            dilation_h: size(OP, "dilation", dilation_h)?,
            dilation_w: size(OP, "dilation", dilation_w)?,
            out_h: size(OP, "out_h", out_h)?,
            out_w: size(OP, "out_w", out_w)?,
            c_out: size(OP, "c_out", self.c_out)?,
            groups: size(OP, "groups", self.groups)?,
            k_per_split: 0,
            relu: 0,
        };
        Ok(Checked {
            spec: *self,
            placement,
            params,
        })
    }
}

impl Checked {
    pub(super) fn image_len(&self) -> usize {
        let [height, width] = self.spec.input;
        elements(&[height, width, self.spec.c_in])
    }

    pub(super) fn output_len(&self) -> usize {
        let [height, width] = self.placement.out;
        elements(&[height, width, self.spec.c_out])
    }

    fn filter_rows(&self) -> usize {
        let [height, width] = self.spec.window.size;
        elements(&[height, width, self.spec.c_in / self.spec.groups])
    }

    pub(super) fn filter_len(&self) -> usize {
        elements(&[self.filter_rows(), self.spec.c_out])
    }

    fn flops(&self, images: usize) -> usize {
        elements(&[2, images, self.output_len(), self.filter_rows()])
    }

    /// Parts of the batch of which neither the images nor the outputs are longer than a binding, and whose pixels, the rows of a
    /// product, are no more than a grid has workgroups for.
    fn batches(&self, device: &Device, width: Width) -> impl Iterator<Item = Range<usize>> {
        let pixels = |sides: [usize; 2]| elements(&sides);
        let rows = pixels(self.spec.input).max(pixels(self.placement.out));
        let most = tile::most_rows(device) / rows.max(1);
        // As long as if a binding had room for so many images.
        let by_grid = device.max_binding_words().div_ceil(most.max(1));
        let by_grid = by_grid.checked_next_multiple_of(width.alignment());
        let lens = [self.image_len(), self.output_len(), by_grid.unwrap_or(0)];
        row_windows(device, width, self.spec.n, &lens)
    }

    /// The parameters for a part of the batch.
    pub(super) fn part(&self, images: &Range<usize>) -> Result<Conv2dParams> {
        Ok(Conv2dParams {
            n: size(OP, "n", images.len())?,
            ..self.params
        })
    }

    fn family(&self, tile: Tile, is_wide: bool, a: &[usize], b: &[usize]) -> Family {
        let whole = |channels: &[usize]| {
            channels
                .iter()
                .all(|c| (c / self.spec.groups).is_multiple_of(4))
        };
        Family {
            tile,
            vector_a: whole(a),
            vector_b: whole(b),
            wide: is_wide,
        }
    }

    /// Computes one of the three products for a part of the batch: in one dispatch, or in stretches of its sums that are then
    /// added up. `sizes` are those of one group's product.
    fn run(
        &self,
        device: &Device,
        images: &Range<usize>,
        part: &PartProduct<'_>,
        c: &Buffer,
    ) -> Result<()> {
        let groups = self.spec.groups;
        let product = Product::new(part.entry, part.sizes, groups)?;
        let plan = Plan::new(device, product, c.len());
        let params = Conv2dParams {
            k_per_split: plan.k_per_split,
            ..self.part(images)?
        };
        let grid = plan.grid().flops(self.flops(images.len()));
        let launch = |bias: Option<&Buffer>, is_relu: bool, is_wide: bool, c: &Buffer| {
            let family = self.family(plan.tile, is_wide, part.vector_a, part.vector_b);
            let kernel = (part.kernel)(&family, bias.is_some());
            let reads: Vec<&Buffer> = part.operands.into_iter().chain(bias).collect();
            let params = Conv2dParams {
                relu: u32::from(is_relu),
                ..params
            };
            device.launch(&kernel, &params, &reads, &[c], grid)
        };
        if plan.splits == 1 {
            return launch(part.bias, part.is_relu, false, c);
        }
        let partial = device.alloc(plan.splits as usize * c.len())?;
        let is_f16 = part.operands[0].width() == Width::F16;
        launch(None, false, is_f16, &partial)?;
        let [m, n, k] = part.sizes;
        let reduction = GemmParams {
            relu: u32::from(part.is_relu),
            ..GemmParams::reduction([m, n * groups, k], plan.k_per_split)?
        };
        gemm::reduce(device, &reduction, &partial, part.bias, c)
    }
}

/// One of the three products, over a part of the batch.
struct PartProduct<'a> {
    entry: &'static str,
    /// Rows, columns and terms of a group's product.
    sizes: [usize; 3],
    operands: [&'a Buffer; 2],
    /// Numbers of channels that A's and B's elements can be read by four along, if they are multiples of it.
    vector_a: &'a [usize],
    vector_b: &'a [usize],
    bias: Option<&'a Buffer>,
    is_relu: bool,
    kernel: &'a dyn Fn(&Family, bool) -> Kernel<Conv2dParams>,
}

/// `y = x * w`, plus the bias, then the activation.
///
/// # Errors
/// If a buffer's length does not fit the sizes, memory runs out or the device fails.
pub fn forward(
    device: &Device,
    conv: &Conv2d,
    x: &Buffer,
    w: &Buffer,
    bias: Option<&Buffer>,
    activation: Activation,
) -> Result<Buffer> {
    let checked = conv.check()?;
    check_len(OP, "x", x, elements(&[conv.n, checked.image_len()]))?;
    check_len(OP, "w", w, checked.filter_len())?;
    if let Some(bias) = bias {
        check_len(OP, "bias", bias, conv.c_out)?;
    }
    if let Some(winograd) = winograd::choose(device, &checked, Pass::Forward, x.width())? {
        return winograd.forward(device, [x, w], bias, activation);
    }
    let twin: Twin<Conv2dParams> = match bias {
        Some(_) => cpu::conv2d::forward::<true>,
        None => cpu::conv2d::forward::<false>,
    };
    forward_by(twin, device, &checked, [x, w], bias, activation)
}

/// [`forward`] by this twin on the CPU device.
pub(super) fn forward_by(
    twin: Twin<Conv2dParams>,
    device: &Device,
    checked: &Checked,
    [x, w]: [&Buffer; 2],
    bias: Option<&Buffer>,
    activation: Activation,
) -> Result<Buffer> {
    let conv = &checked.spec;
    let y = device.alloc_as(x.width(), elements(&[conv.n, checked.output_len()]))?;
    for images in checked.batches(device, x.width()) {
        let m = images.len() * checked.placement.out[0] * checked.placement.out[1];
        let x = slice_rows(x, &images, checked.image_len())?;
        let y = slice_rows(&y, &images, checked.output_len())?;
        let part = PartProduct {
            entry: "conv2d_forward",
            sizes: [m, conv.c_out / conv.groups, checked.filter_rows()],
            operands: [&x, w],
            vector_a: &[conv.c_in],
            vector_b: &[conv.c_out],
            bias,
            is_relu: activation.is_relu(),
            kernel: &|family, has_bias| Kernel::new(family.forward(has_bias), twin),
        };
        checked.run(device, &images, &part, &y)?;
    }
    Ok(y)
}

/// `dx` from `dy` and the filters.
///
/// # Errors
/// As [`forward`].
pub fn data_gradient(device: &Device, conv: &Conv2d, dy: &Buffer, w: &Buffer) -> Result<Buffer> {
    let checked = conv.check()?;
    check_len(OP, "dy", dy, elements(&[conv.n, checked.output_len()]))?;
    check_len(OP, "w", w, checked.filter_len())?;
    if let Some(winograd) = winograd::choose(device, &checked, Pass::DataGradient, dy.width())? {
        return winograd.data_gradient(device, dy, w);
    }
    data_gradient_by(cpu::conv2d::data_gradient, device, &checked, [dy, w])
}

/// [`data_gradient`] by this twin on the CPU device.
pub(super) fn data_gradient_by(
    twin: Twin<Conv2dParams>,
    device: &Device,
    checked: &Checked,
    [dy, w]: [&Buffer; 2],
) -> Result<Buffer> {
    let conv = &checked.spec;
    let dx = device.alloc_as(dy.width(), elements(&[conv.n, checked.image_len()]))?;
    for images in checked.batches(device, dy.width()) {
        let m = images.len() * conv.input[0] * conv.input[1];
        let dy = slice_rows(dy, &images, checked.output_len())?;
        let dx = slice_rows(&dx, &images, checked.image_len())?;
        let [kh, kw] = conv.window.size;
        let is_unit = conv.window.stride == [1, 1];
        let part = PartProduct {
            entry: "conv2d_data_gradient",
            sizes: [
                m,
                conv.c_in / conv.groups,
                kh * kw * (conv.c_out / conv.groups),
            ],
            operands: [&dy, w],
            vector_a: &[conv.c_out],
            vector_b: &[conv.c_in, conv.c_out],
            bias: None,
            is_relu: false,
            kernel: &|family, _| Kernel::new(family.data_gradient(is_unit), twin),
        };
        checked.run(device, &images, &part, &dx)?;
    }
    Ok(dx)
}

/// `dw` from the images and `dy`.
///
/// # Errors
/// As [`forward`].
pub fn weight_gradient(device: &Device, conv: &Conv2d, x: &Buffer, dy: &Buffer) -> Result<Buffer> {
    let checked = conv.check()?;
    check_len(OP, "x", x, elements(&[conv.n, checked.image_len()]))?;
    check_len(OP, "dy", dy, elements(&[conv.n, checked.output_len()]))?;
    if let Some(winograd) = winograd::choose(device, &checked, Pass::WeightGradient, dy.width())? {
        return winograd.weight_gradient(device, x, dy);
    }
    weight_gradient_by(cpu::conv2d::weight_gradient, device, &checked, [x, dy])
}

/// [`weight_gradient`] by this twin on the CPU device.
pub(super) fn weight_gradient_by(
    twin: Twin<Conv2dParams>,
    device: &Device,
    checked: &Checked,
    [x, dy]: [&Buffer; 2],
) -> Result<Buffer> {
    let mut sum: Option<Buffer> = None;
    for images in checked.batches(device, dy.width()) {
        let x = slice_rows(x, &images, checked.image_len())?;
        let dy = slice_rows(dy, &images, checked.output_len())?;
        let dw = weight_gradient_of(twin, device, checked, &images, [&x, &dy])?;
        match &sum {
            Some(sum) => elementwise::axpy(device, 1.0, &dw, sum)?,
            None => sum = Some(dw),
        }
    }
    match sum {
        Some(sum) => Ok(sum),
        None => {
            let dw = device.alloc(checked.filter_len())?;
            elementwise::fill(device, &dw, 0.0)?;
            Ok(dw)
        }
    }
}

/// The weight gradient of a part of the batch.
fn weight_gradient_of(
    twin: Twin<Conv2dParams>,
    device: &Device,
    checked: &Checked,
    images: &Range<usize>,
    operands: [&Buffer; 2],
) -> Result<Buffer> {
    let conv = &checked.spec;
    let dw = device.alloc(checked.filter_len())?;
    let k = images.len() * checked.placement.out[0] * checked.placement.out[1];
    let part = PartProduct {
        entry: "conv2d_weight_gradient",
        sizes: [checked.filter_rows(), conv.c_out / conv.groups, k],
        operands,
        vector_a: &[conv.c_in],
        vector_b: &[conv.c_out],
        bias: None,
        is_relu: false,
        kernel: &|family, _| Kernel::new(family.weight_gradient(), twin),
    };
    checked.run(device, images, &part, &dw)?;
    Ok(dw)
}
