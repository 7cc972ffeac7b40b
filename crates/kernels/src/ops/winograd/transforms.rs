//! The launches of `winograd.wgsl`: images and filters to planes, and back.

use shaders::variants::winograd as variants;

use super::{OP, Side};
use crate::buffer::Buffer;
use crate::cpu::winograd::{self as twin, WinogradParams};
use crate::device::Device;
use crate::error::Result;
use crate::kernel::{Grid, Kernel, Twin};
use crate::ops::conv2d::Conv2d;
use crate::ops::{Activation, size};

/// Images `[n, h, w, channels]`, as a transform reads or writes them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Images {
    /// Rows and columns.
    pub(super) size: [usize; 2],
    pub(super) channels: usize,
    /// Rows and columns of zeros before the first, where the first tile begins.
    pub(super) padding: [usize; 2],
}

impl Images {
    /// Elements of an image.
    pub(super) fn len(&self) -> usize {
        self.size[0] * self.size[1] * self.channels
    }
}

/// How many tiles there are: images, rows and columns of an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiles {
    pub(super) n: usize,
    pub(super) y: usize,
    pub(super) x: usize,
}

impl Tiles {
    pub(super) fn count(&self) -> usize {
        self.n * self.y * self.x
    }
}

/// The transforms of one size on a device.
pub(super) struct Transforms<'a> {
    pub(super) device: &'a Device,
    pub(super) side: Side,
    pub(super) groups: usize,
}

/// The twin for a size of tiles.
macro_rules! twin {
    ($side:expr, $name:ident $(, $flag:expr)?) => {
        match $side {
            Side::Two => twin::$name::<2 $(, $flag)?> as Twin<WinogradParams>,
            Side::Four => twin::$name::<4 $(, $flag)?>,
        }
    };
}

impl Transforms<'_> {
    /// `V = B^T d B`: `[planes, groups, tiles, channels / groups]`.
    pub(super) fn input(&self, images: &Images, tiles: Tiles, x: &Buffer) -> Result<Buffer> {
        let kernel = self.kernel("winograd_input", twin!(self.side, input));
        self.to_planes(&kernel, images, tiles, x)
    }

    /// `dM = A dy A^T`: planes like those of [`Self::input`].
    pub(super) fn output_gradient(
        &self,
        images: &Images,
        tiles: Tiles,
        dy: &Buffer,
    ) -> Result<Buffer> {
        let kernel = self.kernel(
            "winograd_output_gradient",
            twin!(self.side, output_gradient),
        );
        self.to_planes(&kernel, images, tiles, dy)
    }

    /// `y = A^T M A` from planes to images, plus the bias, then the activation.
    pub(super) fn output(
        &self,
        images: &Images,
        tiles: Tiles,
        [planes, y]: [&Buffer; 2],
        bias: Option<&Buffer>,
        activation: Activation,
    ) -> Result<()> {
        let twin = if bias.is_some() {
            twin!(self.side, output, true)
        } else {
            twin!(self.side, output, false)
        };
        let kernel = Kernel::new(variants::output(self.side.m(), bias.is_some()), twin);
        let params = WinogradParams {
            relu: u32::from(activation.is_relu()),
            ..self.image_params(images, tiles)?
        };
        let reads: Vec<&Buffer> = std::iter::once(planes).chain(bias).collect();
        let grid = Grid::linear(tiles.count() * images.channels).flops(planes.len());
        self.device.launch(&kernel, &params, &reads, &[y], grid)
    }

    /// `U = G g G^T`: `[planes, groups, c_in / groups, c_out / groups]`; of the filters turned by 180 degrees with the last two the
    /// other way round.
    pub(super) fn filter(&self, conv: &Conv2d, w: &Buffer, is_flipped: bool) -> Result<Buffer> {
        let kernel = if is_flipped {
            self.kernel("winograd_flipped_filter", twin!(self.side, filter, true))
        } else {
            self.kernel("winograd_filter", twin!(self.side, filter, false))
        };
        let filters = conv.c_in / self.groups * conv.c_out;
        let planes = self.device.alloc(self.side.planes() * filters)?;
        let grid = Grid::linear(filters).flops(planes.len());
        let params = self.filter_params(conv)?;
        self.device
            .launch(&kernel, &params, &[w], &[&planes], grid)?;
        Ok(planes)
    }

    /// `dg = G^T dU G` from planes like those of [`Self::filter`].
    pub(super) fn filter_gradient(&self, conv: &Conv2d, du: &Buffer, dw: &Buffer) -> Result<()> {
        let kernel = self.kernel(
            "winograd_filter_gradient",
            twin!(self.side, filter_gradient),
        );
        let filters = conv.c_in / self.groups * conv.c_out;
        let grid = Grid::linear(filters).flops(du.len());
        let params = self.filter_params(conv)?;
        self.device.launch(&kernel, &params, &[du], &[dw], grid)
    }

    fn to_planes(
        &self,
        kernel: &Kernel<WinogradParams>,
        images: &Images,
        tiles: Tiles,
        x: &Buffer,
    ) -> Result<Buffer> {
        let lines = tiles.count() * images.channels;
        let planes = self.device.alloc(self.side.planes() * lines)?;
        let params = self.image_params(images, tiles)?;
        let grid = Grid::linear(lines).flops(planes.len());
        self.device
            .launch(kernel, &params, &[x], &[&planes], grid)?;
        Ok(planes)
    }

    fn kernel(&self, entry: &'static str, twin: Twin<WinogradParams>) -> Kernel<WinogradParams> {
        Kernel::new(variants::transform(entry, self.side.m()), twin)
    }

    fn image_params(&self, images: &Images, tiles: Tiles) -> Result<WinogradParams> {
        let ([h, w], [top, left]) = (images.size, images.padding);
        Ok(WinogradParams {
            n: size(OP, "n", tiles.n)?,
            h: size(OP, "h", h)?,
            w: size(OP, "w", w)?,
            rows: 0,
            channels: size(OP, "channels", images.channels)?,
            groups: size(OP, "groups", self.groups)?,
            pad_top: size(OP, "padding", top)?,
            pad_left: size(OP, "padding", left)?,
            tiles_y: size(OP, "tiles", tiles.y)?,
            tiles_x: size(OP, "tiles", tiles.x)?,
            relu: 0,
        })
    }

    fn filter_params(&self, conv: &Conv2d) -> Result<WinogradParams> {
        Ok(WinogradParams {
            n: 0,
            h: 0,
            w: 0,
            rows: size(OP, "c_in", conv.c_in / self.groups)?,
            channels: size(OP, "c_out", conv.c_out)?,
            groups: size(OP, "groups", self.groups)?,
            pad_top: 0,
            pad_left: 0,
            tiles_y: 0,
            tiles_x: 0,
            relu: 0,
        })
    }
}
