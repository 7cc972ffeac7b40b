//! Cases of copies between layouts of `[n, h, w, c]`: with `order` its dimensions permuted; else the part `first`, `count` of
//! dimension `axis`; with `join` such a part of a second input behind the first input, along `axis`.

use kernels::ops::{elementwise, strided_copy};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct StridedCopyCase {
    sizes: [usize; 4],
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Permute([usize; 4]),
    Slice {
        axis: usize,
        first: usize,
        count: usize,
    },
    Join {
        axis: usize,
        count: usize,
    },
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let [n, h, w, c] = ["n", "h", "w", "c"].map(|name| fields.get(name));
    let sizes = [n?, h?, w?, c?];
    let order = fields.get_or("order", usize::MAX)?;
    let kind = if order == usize::MAX {
        let (axis, count) = (fields.get("axis")?, fields.get("count")?);
        if fields.flag("join") {
            Kind::Join { axis, count }
        } else {
            let first = fields.get("first")?;
            Kind::Slice { axis, first, count }
        }
    } else {
        Kind::Permute([1000, 100, 10, 1].map(|unit| order / unit % 10))
    };
    Ok(Box::new(StridedCopyCase { sizes, kind }))
}

/// Every place of a tensor of these sizes, in order.
fn places(sizes: [usize; 4]) -> impl Iterator<Item = [usize; 4]> {
    (0..sizes.iter().product()).map(move |at: usize| {
        let [_, h, w, c] = sizes;
        [at / (h * w * c), at / (w * c) % h, at / c % w, at % c]
    })
}

fn index([n, y, x, c]: [usize; 4], [_, height, width, channels]: [usize; 4]) -> usize {
    ((n * height + y) * width + x) * channels + c
}

impl StridedCopyCase {
    /// The sizes with another size of one dimension.
    fn with(&self, axis: usize, size: usize) -> [usize; 4] {
        let mut sizes = self.sizes;
        sizes[axis] = size;
        sizes
    }
}

impl Case for StridedCopyCase {
    fn f16_inputs(&self) -> &'static [&'static str] {
        &["x", "other"]
    }

    fn inputs(&self) -> Vec<Input> {
        let input = |name, sizes: [usize; 4]| {
            Input::with_grad(name, sizes.iter().product(), Fill::Integers(99))
        };
        let mut inputs = vec![input("x", self.sizes)];
        if let Kind::Join { axis, count } = self.kind {
            inputs.push(input("other", self.with(axis, count)));
        }
        inputs
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let x = |place| inputs[0][index(place, self.sizes)];
        let y = match self.kind {
            Kind::Permute(order) => places(order.map(|d| self.sizes[d]))
                .map(|to| {
                    let mut from = [0; 4];
                    for d in 0..4 {
                        from[order[d]] = to[d];
                    }
                    x(from)
                })
                .collect(),
            Kind::Slice { axis, first, count } => places(self.with(axis, count))
                .map(|mut place| {
                    place[axis] += first;
                    x(place)
                })
                .collect(),
            Kind::Join { axis, count } => places(self.with(axis, self.sizes[axis] + count))
                .map(|mut place| {
                    let Some(behind) = place[axis].checked_sub(self.sizes[axis]) else {
                        return x(place);
                    };
                    place[axis] = behind;
                    inputs[1][index(place, self.with(axis, count))]
                })
                .collect(),
        };
        vec![y]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        let (x, sizes) = (&inputs[0], &self.sizes);
        let y = match self.kind {
            Kind::Permute(order) => strided_copy::permute(device, x, sizes, &order)?,
            Kind::Slice { axis, first, count } => {
                strided_copy::slice(device, x, sizes, axis, first..first + count)?
            }
            Kind::Join { axis, count } => {
                let (middle, end) = (sizes[axis], sizes[axis] + count);
                let y = device.alloc_as(x.width(), x.len() + inputs[1].len())?;
                let whole = self.with(axis, end);
                strided_copy::fill_in(device, x, &y, &whole, axis, 0..middle)?;
                strided_copy::fill_in(device, &inputs[1], &y, &whole, axis, middle..end)?;
                y
            }
        };
        Ok(vec![y])
    }

    fn backward(&self, device: &Device, inputs: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        match self.kind {
            Kind::Permute(order) => {
                let mut back = [0; 4];
                for d in 0..4 {
                    back[order[d]] = d;
                }
                let sizes = order.map(|d| self.sizes[d]);
                Ok(vec![strided_copy::permute(device, dy, &sizes, &back)?])
            }
            Kind::Slice { axis, first, count } => {
                let dx = device.alloc_as(dy.width(), inputs[0].len())?;
                elementwise::fill(device, &dx, 0.0)?;
                strided_copy::fill_in(device, dy, &dx, &self.sizes, axis, first..first + count)?;
                Ok(vec![dx])
            }
            Kind::Join { axis, count } => {
                let (middle, end) = (self.sizes[axis], self.sizes[axis] + count);
                let whole = self.with(axis, end);
                let part = |range| strided_copy::slice(device, dy, &whole, axis, range);
                Ok(vec![part(0..middle)?, part(middle..end)?])
            }
        }
    }

    fn sizes(&self) -> Sizes {
        Sizes {
            forward_terms: 0,
            backward_terms: 0,
            forward_flops: 0,
            backward_flops: 0,
        }
    }
}
