//! Between this project's layouts (filters `[kh, kw, in, out]`, dense weights `[in, out]`, images flattened as height,
//! width, channels) and those that put channels first (`[out, in, kh, kw]`, `[out, in]`, channels, height, width).

/// The elements of a row-major array with its dimensions in the order `axes`, as `NumPy`'s `transpose`. `values` fill
/// `shape`, and `axes` is a permutation.
pub(super) fn permuted(values: &[f32], shape: &[usize], axes: &[usize]) -> Vec<f32> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    let mut result = Vec::with_capacity(values.len());
    let sizes: Vec<(usize, usize)> = axes.iter().map(|&a| (shape[a], strides[a])).collect();
    gather(values, &sizes, 0, &mut result);
    result
}

/// Appends the elements from `place` on, where each dimension has a size and a step in memory.
fn gather(values: &[f32], sizes: &[(usize, usize)], place: usize, result: &mut Vec<f32>) {
    match sizes {
        [] => result.push(values[place]),
        &[(size, stride)] => result.extend((0..size).map(|i| values[place + i * stride])),
        [(size, stride), rest @ ..] => {
            for i in 0..*size {
                gather(values, rest, place + i * stride, result);
            }
        }
    }
}

/// `[kh, kw, in, out]` to `[out, in, kh, kw]`, with the new shape.
pub(super) fn filters_first(values: &[f32], shape: &[usize]) -> (Vec<f32>, Vec<usize>) {
    let axes = [3, 2, 0, 1];
    (
        permuted(values, shape, &axes),
        axes.map(|a| shape[a]).to_vec(),
    )
}

/// `[out, in, kh, kw]` to `[kh, kw, in, out]`, with the new shape.
pub(super) fn filters_last(values: &[f32], shape: &[usize]) -> (Vec<f32>, Vec<usize>) {
    let axes = [2, 3, 1, 0];
    (
        permuted(values, shape, &axes),
        axes.map(|a| shape[a]).to_vec(),
    )
}

/// Rows of dense weights `[h w c, out]` in the order `c h w`.
pub(super) fn rows_channels_first(values: &[f32], [h, w, c]: [usize; 3], out: usize) -> Vec<f32> {
    permuted(values, &[h, w, c, out], &[2, 0, 1, 3])
}

/// Rows of dense weights `[c h w, out]` in the order `h w c`.
pub(super) fn rows_channels_last(values: &[f32], [h, w, c]: [usize; 3], out: usize) -> Vec<f32> {
    permuted(values, &[c, h, w, out], &[1, 2, 0, 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permuting_moves_elements_as_numpy_does() {
        let values: Vec<f32> = (0_u8..24).map(f32::from).collect();
        // numpy.arange(24).reshape(2, 3, 4).transpose(2, 0, 1)[1] is [[1, 5, 9], [13, 17, 21]].
        let turned = permuted(&values, &[2, 3, 4], &[2, 0, 1]);
        assert_eq!(turned[6..12], [1.0, 5.0, 9.0, 13.0, 17.0, 21.0]);
        assert_eq!(
            permuted(&turned, &[4, 2, 3], &[1, 2, 0]),
            values,
            "and back"
        );
    }

    #[test]
    fn each_way_undoes_the_other() {
        let values: Vec<f32> = (0_u8..120).map(f32::from).collect();
        let (first, shape) = filters_first(&values, &[2, 3, 4, 5]);
        assert_eq!(shape, [5, 4, 2, 3]);
        assert_eq!(
            filters_last(&first, &shape),
            (values.clone(), vec![2, 3, 4, 5])
        );
        let rows = rows_channels_first(&values, [2, 3, 4], 5);
        assert_eq!(
            rows[5..10],
            values[20..25],
            "channel 0 of the second column comes second"
        );
        assert_eq!(rows_channels_last(&rows, [2, 3, 4], 5), values);
    }
}
