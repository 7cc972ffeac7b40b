//! Cases of bilinear resizing. The reference interpolates between neighbours, or averages under a triangle, pixel by pixel.

use kernels::ops::resize::{self, Resize};
use kernels::{Buffer, Device, Result};

use super::{Case, Fields, Fill, Input, Sizes};

#[derive(Debug)]
struct ResizeCase {
    n: usize,
    spec: Resize,
}

pub(crate) fn parse(fields: &Fields<'_>) -> Result<Box<dyn Case>, String> {
    let input = [fields.get("h")?, fields.get("w")?];
    let output = [fields.get("outh")?, fields.get("outw")?];
    let mut spec = Resize::new(input, output, fields.get("c")?);
    if fields.flag("aligned") {
        spec = spec.with_aligned_corners();
    }
    spec.is_antialiased = fields.flag("antialias");
    Ok(Box::new(ResizeCase {
        n: fields.get("n")?,
        spec,
    }))
}

impl ResizeCase {
    /// The weight of source position `i` in output position `o` along an axis.
    fn weight(&self, axis: usize, o: usize, i: usize) -> f64 {
        let (scale, length) = (self.spec.scale[axis], self.spec.input[axis]);
        let centre = scale * (o as f64 + 0.5) + self.spec.offset[axis] - 0.5;
        let distance = |i: usize| (i as f64 - centre).abs();
        if self.spec.is_antialiased && scale > 1.0 {
            let weight = |i: usize| (1.0 - distance(i) / scale).max(0.0);
            return weight(i) / (0..length).map(weight).sum::<f64>();
        }
        let centre = centre.clamp(0.0, length as f64 - 1.0);
        (1.0 - (i as f64 - centre).abs()).max(0.0)
    }
}

impl Case for ResizeCase {
    fn inputs(&self) -> Vec<Input> {
        let len = self.n * self.spec.channels * self.spec.input.iter().product::<usize>();
        vec![Input::with_grad("x", len, Fill::Uniform(-1.0, 1.0))]
    }

    fn reference(&self, inputs: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let ([in_h, in_w], [out_h, out_w]) = (self.spec.input, self.spec.output);
        let c = self.spec.channels;
        let table = |axis: usize, from: usize, to: usize| -> Vec<Vec<(usize, f64)>> {
            let list = |o| {
                (0..from)
                    .map(move |i| (i, self.weight(axis, o, i)))
                    .filter(|w| w.1 > 0.0)
            };
            (0..to).map(|o| list(o).collect()).collect()
        };
        let (rows, columns) = (table(0, in_h, out_h), table(1, in_w, out_w));
        let mut y = Vec::new();
        for image in inputs[0].chunks_exact(in_h * in_w * c) {
            for row in &rows {
                for column in &columns {
                    y.extend((0..c).map(|k| {
                        row.iter()
                            .flat_map(|i| column.iter().map(move |j| (i, j)))
                            .map(|(i, j)| i.1 * j.1 * image[(i.0 * in_w + j.0) * c + k])
                            .sum::<f64>()
                    }));
                }
            }
        }
        vec![y]
    }

    fn forward(&self, device: &Device, inputs: &[Buffer]) -> Result<Vec<Buffer>> {
        Ok(vec![resize::forward(device, &self.spec, &inputs[0])?])
    }

    fn backward(&self, device: &Device, _: &[Buffer], dy: &Buffer) -> Result<Vec<Buffer>> {
        Ok(vec![resize::backward(device, &self.spec, dy)?])
    }

    fn sizes(&self) -> Sizes {
        let scale: f64 = self
            .spec
            .scale
            .iter()
            .map(|s| 2.0 * s.max(1.0) + 1.0)
            .product();
        let back: f64 = self
            .spec
            .scale
            .iter()
            .map(|s| 2.0 / s.clamp(0.01, 1.0) + 1.0)
            .product();
        let outputs = self.n * self.spec.channels * self.spec.output.iter().product::<usize>();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "small positive numbers"
        )]
        let (forward_terms, backward_terms) = (scale as usize, back as usize);
        Sizes {
            forward_terms,
            backward_terms,
            forward_flops: 2 * forward_terms * outputs,
            backward_flops: 2 * forward_terms * outputs,
        }
    }
}
