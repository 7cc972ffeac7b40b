//! Twins of `winograd.wgsl`: `L d L^T` of each tile, plane by plane. The CPU device computes tiles of 4 x 4 in one pass from images to
//! images ([`crate::cpu::conv2d::winograd`]), so these are oracles, and simple.

use rayon::prelude::*;

use crate::kernel::{CpuArgs, params};

params! {
    /// Parameters of every transform.
    pub(crate) struct WinogradParams {
        /// Images, and their size; not for filters.
        n: u32,
        h: u32,
        w: u32,
        /// Filters' rows of `channels`: input channels of a group.
        rows: u32,
        channels: u32,
        groups: u32,
        pad_top: u32,
        pad_left: u32,
        tiles_y: u32,
        tiles_x: u32,
        relu: u32,
    }
}

/// Rows and columns of the filters.
pub(crate) const FILTER: usize = 3;

/// Rows and columns of a tile of outputs: m.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// 2 x 2 outputs of 4 x 4 inputs.
    Two,
    /// 4 x 4 outputs of 6 x 6 inputs.
    Four,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Two, Self::Four];

    /// Rows and columns of the outputs.
    #[must_use]
    pub const fn outputs(self) -> usize {
        self.m() as usize
    }

    /// The same, as shaders are named by it.
    pub(crate) const fn m(self) -> u32 {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// Products that a transformed tile takes part in: the square of its inputs' rows.
    #[must_use]
    pub const fn planes(self) -> usize {
        let inputs = self.outputs() + FILTER - 1;
        inputs * inputs
    }
}

/// The most numbers a side that a transform takes or gives.
const SIDE: usize = 6;

type Square = [[f32; SIDE]; SIDE];

/// The matrices of `F(M x M, 3 x 3)` (Lavin and Gray 2015, section 4), padded with zeros.
#[derive(Clone, Copy)]
enum Matrix {
    /// B^T
    Input,
    /// G
    Filter,
    /// A^T
    Output,
}

impl Matrix {
    #[rustfmt::skip]
    fn get<const M: usize>(self) -> Square {
        const SIXTH: f32 = 1.0 / 6.0;
        match (self, M) {
            (Self::Input, 2) => pad(&[[1., 0., -1., 0.], [0., 1., 1., 0.], [0., -1., 1., 0.], [0., 1., 0., -1.]]),
            (Self::Filter, 2) => pad(&[[1., 0., 0.], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0., 0., 1.]]),
            (Self::Output, 2) => pad(&[[1., 1., 1., 0.], [0., 1., -1., -1.]]),
            (Self::Input, _) => pad(&[
                [4., 0., -5., 0., 1., 0.], [0., -4., -4., 1., 1., 0.], [0., 4., -4., -1., 1., 0.],
                [0., -2., -1., 2., 1., 0.], [0., 2., -1., -2., 1., 0.], [0., 4., 0., -5., 0., 1.],
            ]),
            (Self::Filter, _) => pad(&[
                [0.25, 0., 0.], [-SIXTH, -SIXTH, -SIXTH], [-SIXTH, SIXTH, -SIXTH],
                [SIXTH / 4., SIXTH / 2., SIXTH], [SIXTH / 4., -SIXTH / 2., SIXTH], [0., 0., 1.],
            ]),
            (Self::Output, _) => pad(&[
                [1., 1., 1., 1., 1., 0.], [0., 1., -1., 2., -2., 0.], [0., 1., 1., 4., 4., 0.], [0., 1., -1., 8., -8., 1.],
            ]),
        }
    }
}

fn pad<const ROWS: usize, const COLUMNS: usize>(rows: &[[f32; COLUMNS]; ROWS]) -> Square {
    let mut square = Square::default();
    for (to, from) in square.iter_mut().zip(rows) {
        to[..COLUMNS].copy_from_slice(from);
    }
    square
}

fn transpose(square: &Square) -> Square {
    std::array::from_fn(|row| std::array::from_fn(|column| square[column][row]))
}

/// `L d L^T`: columns first, as the shader does it, so that only a compiler's contractions tell them apart.
fn both_sides(matrix: &Square, d: &Square) -> Square {
    let half: Square = std::array::from_fn(|i| {
        std::array::from_fn(|j| (0..SIDE).map(|k| matrix[i][k] * d[k][j]).sum())
    });
    std::array::from_fn(|i| {
        std::array::from_fn(|j| (0..SIDE).map(|k| matrix[j][k] * half[i][k]).sum())
    })
}

/// Where the numbers of a tile, or a filter, of one channel lie.
struct Line<'a> {
    p: &'a WinogradParams,
    /// The tile's or the filter's number.
    line: usize,
    lines: usize,
}

impl Line<'_> {
    fn channels(&self) -> usize {
        self.p.channels as usize
    }

    /// Elements of a plane.
    fn plane(&self) -> usize {
        self.lines * self.channels()
    }

    /// Its element in each plane.
    fn in_plane(&self, channel: usize) -> usize {
        let channels = self.channels() / self.p.groups as usize;
        (channel / channels * self.lines + self.line) * channels + channel % channels
    }

    /// The pixel at a place of its tile of `side` outputs, if there is one.
    fn pixel(&self, side: usize, [row, column]: [usize; 2], channel: usize) -> Option<usize> {
        let p = self.p;
        let [tiles_y, tiles_x] = [p.tiles_y, p.tiles_x].map(|tiles| tiles as usize);
        let tile_row = self.line / tiles_x;
        let row = (tile_row % tiles_y * side + row).checked_sub(p.pad_top as usize)?;
        let column = (self.line % tiles_x * side + column).checked_sub(p.pad_left as usize)?;
        let [h, w] = [p.h, p.w].map(|size| size as usize);
        let first = tile_row / tiles_y * h;
        (row < h && column < w).then(|| ((first + row) * w + column) * self.channels() + channel)
    }
}

/// A transform from `from` x `from` numbers by `matrix` to `to` x `to`.
struct Transform {
    matrix: Square,
    from: usize,
    to: usize,
}

impl Transform {
    /// Transforms every line of every channel: `read` finds a number's place, if it is not a zero, `write` where one goes.
    fn run(
        &self,
        p: &WinogradParams,
        lines: usize,
        x: &[f32],
        read: impl Fn(&Line<'_>, [usize; 2], usize) -> Option<usize> + Sync,
        mut write: impl FnMut(&Line<'_>, [usize; 2], usize, f32),
    ) {
        let channels = p.channels as usize;
        let done: Vec<Square> = (0..lines * channels)
            .into_par_iter()
            .map(|i| {
                let (line, channel) = (i / channels, i % channels);
                let line = Line { p, line, lines };
                let mut d = Square::default();
                for (row, values) in d.iter_mut().enumerate().take(self.from) {
                    for (column, value) in values.iter_mut().enumerate().take(self.from) {
                        *value = read(&line, [row, column], channel).map_or(0.0, |at| x[at]);
                    }
                }
                both_sides(&self.matrix, &d)
            })
            .collect();
        for (i, square) in done.iter().enumerate() {
            let (line, channel) = (i / channels, i % channels);
            let line = Line { p, line, lines };
            for (row, values) in square.iter().enumerate().take(self.to) {
                for (column, &value) in values.iter().enumerate().take(self.to) {
                    write(&line, [row, column], channel, value);
                }
            }
        }
    }
}

fn tiles(p: &WinogradParams) -> usize {
    [p.n, p.tiles_y, p.tiles_x]
        .map(|size| size as usize)
        .iter()
        .product()
}

/// `V = B^T d B`: images are read, planes are written.
pub(crate) fn input<const M: usize>(p: &WinogradParams, args: CpuArgs<'_>) {
    let matrix = Matrix::Input.get::<M>();
    let (from, to) = (M + 2, M + 2);
    to_planes::<M>(p, args, &Transform { matrix, from, to });
}

/// `dM = A dy A^T`: images are read, planes are written.
pub(crate) fn output_gradient<const M: usize>(p: &WinogradParams, args: CpuArgs<'_>) {
    let matrix = transpose(&Matrix::Output.get::<M>());
    let (from, to) = (M, M + 2);
    to_planes::<M>(p, args, &Transform { matrix, from, to });
}

fn to_planes<const M: usize>(p: &WinogradParams, args: CpuArgs<'_>, transform: &Transform) {
    let ([x], [y]) = args.split();
    transform.run(
        p,
        tiles(p),
        x,
        |line, place, channel| line.pixel(M, place, channel),
        |line, [row, column], channel, value| {
            y[(row * transform.to + column) * line.plane() + line.in_plane(channel)] = value;
        },
    );
}

/// `y = A^T M A`, plus the bias if `BIAS`, then ReLU: planes are read, images are written.
pub(crate) fn output<const M: usize, const BIAS: bool>(p: &WinogradParams, args: CpuArgs<'_>) {
    let matrix = Matrix::Output.get::<M>();
    let transform = Transform {
        matrix,
        from: M + 2,
        to: M,
    };
    let (x, bias, y) = if BIAS {
        let ([x, bias], [y]) = args.split();
        (x, Some(bias), y)
    } else {
        let ([x], [y]) = args.split();
        (x, None, y)
    };
    transform.run(
        p,
        tiles(p),
        x,
        |line, [row, column], channel| {
            Some((row * transform.from + column) * line.plane() + line.in_plane(channel))
        },
        |line, place, channel, value| {
            let Some(at) = line.pixel(M, place, channel) else {
                return;
            };
            let sum = value + bias.map_or(0.0, |bias| bias[channel]);
            y[at] = if sum <= 0.0 && p.relu != 0 { 0.0 } else { sum };
        },
    );
}

/// `U = G g G^T`: filters are read, planes are written; with `FLIPPED` turned by 180 degrees, and rows and columns change places.
pub(crate) fn filter<const M: usize, const FLIPPED: bool>(p: &WinogradParams, args: CpuArgs<'_>) {
    let ([x], [y]) = args.split();
    let matrix = Matrix::Filter.get::<M>();
    let transform = Transform {
        matrix,
        from: 3,
        to: M + 2,
    };
    transform.run(
        p,
        p.rows as usize,
        x,
        |line, [row, column], channel| {
            let tap = row * 3 + column;
            let tap = if FLIPPED { 8 - tap } else { tap };
            Some(tap * line.plane() + line.line * line.channels() + channel)
        },
        |line, [row, column], channel, value| {
            let at = if FLIPPED {
                channel * line.lines + line.line
            } else {
                line.in_plane(channel)
            };
            y[(row * transform.to + column) * line.plane() + at] = value;
        },
    );
}

/// `dg = G^T dU G`: planes are read, filters are written.
pub(crate) fn filter_gradient<const M: usize>(p: &WinogradParams, args: CpuArgs<'_>) {
    let ([x], [y]) = args.split();
    let matrix = transpose(&Matrix::Filter.get::<M>());
    let transform = Transform {
        matrix,
        from: M + 2,
        to: 3,
    };
    transform.run(
        p,
        p.rows as usize,
        x,
        |line, [row, column], channel| {
            Some((row * transform.from + column) * line.plane() + line.in_plane(channel))
        },
        |line, [row, column], channel, value| {
            let tap = row * 3 + column;
            y[tap * line.plane() + line.line * line.channels() + channel] = value;
        },
    );
}
