//! Cases of resizing. The reference interpolates between neighbours, or averages under a kernel, pixel by pixel.

use kernels::ops::resize::{self, Method, Resize, Ties};
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
    if fields.flag("nearest") {
        spec.method = Method::Nearest(Ties::Second);
    } else if fields.flag("cubic") {
        // PyTorch's constants.
        spec.method = Method::Cubic(if spec.is_antialiased { -0.5 } else { -0.75 });
    }
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
        match self.spec.method {
            Method::Linear => {}
            Method::Nearest(_) => {
                let nearest = (centre + 0.5).floor().clamp(0.0, length as f64 - 1.0);
                return f64::from(u8::from(nearest == i as f64));
            }
            Method::Cubic(a) if self.spec.is_antialiased => {
                let weight = |i: usize| keys(a, distance(i) / scale.max(1.0));
                return weight(i) / (0..length).map(weight).sum::<f64>();
            }
            Method::Cubic(a) => {
                // What lies outside is the edge's pixel.
                let last = length as f64 - 1.0;
                let seen = (0..length + 6).map(|at| at as f64 - 3.0);
                let own = seen.filter(|at| at.clamp(0.0, last) == i as f64);
                return own.map(|at| keys(a, (at - centre).abs())).sum();
            }
        }
        if self.spec.is_antialiased && scale > 1.0 {
            let weight = |i: usize| (1.0 - distance(i) / scale).max(0.0);
            return weight(i) / (0..length).map(weight).sum::<f64>();
        }
        let centre = centre.clamp(0.0, length as f64 - 1.0);
        (1.0 - (i as f64 - centre).abs()).max(0.0)
    }
}

/// Keys 1981, equation (4): cubic convolution.
fn keys(a: f64, s: f64) -> f64 {
    match s {
        s if s < 1.0 => (a + 2.0) * s.powi(3) - (a + 3.0) * s.powi(2) + 1.0,
        s if s < 2.0 => a * s.powi(3) - 5.0 * a * s.powi(2) + 8.0 * a * s - 4.0 * a,
        _ => 0.0,
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
                    .filter(|w| w.1 != 0.0)
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
        let reach = match self.spec.method {
            Method::Cubic(_) => 4.0,
            _ => 2.0,
        };
        let scales = self.spec.scale.iter();
        let scale: f64 = scales.clone().map(|s| reach * s.max(1.0) + 1.0).product();
        let back: f64 = scales.map(|s| reach / s.clamp(0.01, 1.0) + 1.0).product();
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
