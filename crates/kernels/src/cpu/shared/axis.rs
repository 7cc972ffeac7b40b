//! Which source position every tap of every position reads, as one small table an axis: convolutions and pools walk
//! images through two of these, forwards or backwards. No values are read here.

/// Marks a tap that falls on padding or between strides, and a row of a tile that does not exist.
pub(crate) const NONE: usize = usize::MAX;

/// One spatial axis: where each tap of each position of one side lies on the other side.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) taps: usize,
    /// `[position, tap]`, `NONE` on padding or between strides.
    table: Vec<usize>,
    /// Positions with equal remainder modulo this use the same taps.
    pub(crate) phases: usize,
}

impl Axis {
    /// From the output's positions to the input's.
    pub(crate) fn forward(size: &AxisSize) -> Self {
        let input = |output: usize, tap: usize| {
            let padded = output * size.stride + tap * size.dilation;
            padded
                .checked_sub(size.pad)
                .filter(|&input| input < size.input)
        };
        Self::tabulate(size.output, size.taps, 1, input)
    }

    /// From the input's positions to the output's.
    pub(crate) fn backward(size: &AxisSize) -> Self {
        let output = |input: usize, tap: usize| {
            let strided = (input + size.pad).checked_sub(tap * size.dilation)?;
            Some(strided / size.stride)
                .filter(|&output| strided % size.stride == 0 && output < size.output)
        };
        Self::tabulate(size.input, size.taps, size.stride, output)
    }

    fn tabulate(
        len: usize,
        taps: usize,
        phases: usize,
        find: impl Fn(usize, usize) -> Option<usize>,
    ) -> Self {
        let table = (0..len * taps)
            .map(|idx| find(idx / taps, idx % taps).unwrap_or(NONE))
            .collect();
        Self {
            taps,
            table,
            phases,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len() / self.taps.max(1)
    }

    #[inline(always)]
    pub(crate) fn source(&self, position: usize, tap: usize) -> usize {
        self.table[position * self.taps + tap]
    }

    /// Taps that fall on a pixel, over all positions; for judging what padding costs.
    pub(crate) fn hits(&self) -> usize {
        self.table.iter().filter(|&&source| source != NONE).count()
    }
}

/// The sizes of one axis of a convolution or a pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AxisSize {
    pub(crate) input: usize,
    pub(crate) output: usize,
    pub(crate) taps: usize,
    pub(crate) stride: usize,
    pub(crate) dilation: usize,
    pub(crate) pad: usize,
}
