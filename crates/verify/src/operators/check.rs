//! The checks of a case on a device, and the comparer they rest on.

use std::sync::OnceLock;

use kernels::ops::cast;
use kernels::{Buffer, Device, Result, Width};

use super::cases::Case;
use super::fill::{Input, SplitMix, to_half};

/// Step of the central differences. The reference is f64, so truncation (`h^2`) and cancellation (`2^-53 / h`) both
/// stay far under f32's rounding.
const STEP: f64 = 1e-4;

/// What one check of one case on one device found.
#[derive(Clone, Debug)]
pub struct Row {
    /// What was compared: `forward`, `backward NAME` or `twin …`.
    pub check: String,
    /// Worst error found, as a fraction of the values' magnitude.
    pub error: f64,
    /// The most that rounding explains, on the same scale.
    pub tolerance: f64,
    /// Whether the error is within the tolerance and the values are worth comparing.
    pub passed: bool,
    /// Why not, if there is more to say than the numbers.
    pub note: String,
}

/// The relative error that `terms` f32 terms can accumulate: `4 * 2^-24 * (2 + sqrt(terms))`.
///
/// Each of the `terms` additions rounds by at most `2^-24` of the running sum; such errors add like a random walk
/// (`sqrt`), two roundings are there in any case (a product and the store), and 4 covers the tail. It is the rule of the
/// recorded PyTorch cases. No terms: the result must be exact.
#[must_use]
pub fn tolerance(terms: usize) -> f64 {
    if terms == 0 {
        0.0
    } else {
        4.0 * 2.0_f64.powi(-24) * (2.0 + (terms as f64).sqrt())
    }
}

/// A GPU for tests: the best adapter, a software one if there is nothing else.
///
/// # Errors
/// Why there is none. With `REQUIRE_GPU=1` in the environment that is a failure for tests, else a skip.
pub fn gpu() -> Result<Device, String> {
    static GPU: OnceLock<Result<Device, String>> = OnceLock::new();
    GPU.get_or_init(|| Device::open("gpu").map_err(|error| error.to_string()))
        .clone()
}

/// Compares element by element. The error is the largest difference over `magnitude`.
pub fn compare(
    check: impl Into<String>,
    got: &[f64],
    want: &[f64],
    magnitude: f64,
    tolerance: f64,
) -> Row {
    let row = |error: f64, passed, note: String| Row {
        check: check.into(),
        error,
        tolerance,
        passed,
        note,
    };
    if got.len() != want.len() {
        return row(
            f64::INFINITY,
            false,
            format!("{} elements, expected {}", got.len(), want.len()),
        );
    }
    let magnitude = if magnitude > 0.0 { magnitude } else { 1.0 };
    let (mut worst, mut at) = (0.0, 0);
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let same = got == want || got.is_nan() && want.is_nan();
        let error = if same {
            0.0
        } else {
            (got - want).abs() / magnitude
        };
        // A NaN that should not be there is the worst error there is.
        let error = if error.is_nan() { f64::INFINITY } else { error };
        if error > worst {
            (worst, at) = (error, i);
        }
    }
    let zeros = want.iter().filter(|x| **x == 0.0).count();
    if want.len() >= 16 && zeros * 20 > want.len() * 19 {
        return row(
            worst,
            false,
            format!(
                "{zeros} of {} expected values are zero: nothing is proven",
                want.len()
            ),
        );
    }
    let passed = worst <= tolerance;
    let note = if passed {
        String::new()
    } else {
        format!("at {at}: got {}, expected {}", got[at], want[at])
    };
    row(worst, passed, note)
}

/// Checks `case` on `device`: forward against the f64 reference, backward against central differences of it, and on
/// a GPU both against the twins.
///
/// # Errors
/// Those of the operator or the device; a wrong result is no error but a [`Row`] that did not pass.
pub fn check(case: &dyn Case, device: &Device) -> Result<Vec<Row>> {
    let inputs = case.inputs();
    let values = values(&inputs);
    let want = case.reference(&values);
    let sizes = case.sizes();
    let magnitudes = magnitudes(case, &values, &want);
    let run = Run::new(case, device, &values, &[])?;
    let mut rows = Vec::new();
    for (i, want) in want.iter().enumerate() {
        let name = if i == 0 {
            "forward".to_owned()
        } else {
            format!("forward output {i}")
        };
        rows.push(compare(
            name,
            &run.outputs[i],
            want,
            magnitudes[i],
            tolerance(sizes.forward_terms),
        ));
    }
    let variables: Vec<usize> = (0..inputs.len())
        .filter(|&i| inputs[i].is_differentiable)
        .collect();
    if run.gradients.len() != variables.len() {
        rows.push(wrong_count(run.gradients.len(), variables.len()));
    }
    for (&input, gradient) in variables.iter().zip(&run.gradients) {
        let objective = Objective {
            case,
            values: &values,
            dy: &run.dy,
            input,
        };
        rows.push(objective.check(
            inputs[input].name,
            gradient,
            sizes.backward_terms,
            sizes.forward_flops,
        ));
    }
    if !device.is_cpu() {
        rows.extend(against_twin(case, &run, &values, &magnitudes)?);
    }
    Ok(rows)
}

/// A gradient that is not returned would be checked by nobody.
fn wrong_count(gradients: usize, variables: usize) -> Row {
    Row {
        check: "backward".to_owned(),
        error: f64::INFINITY,
        tolerance: 0.0,
        passed: false,
        note: format!("{gradients} gradients of {variables} variables"),
    }
}

/// Checks `case` on a GPU against the twins alone: what tests do for each further tile or limit, when the twins have
/// been checked in full, since evaluating the f64 reference takes longest.
///
/// # Errors
/// As [`check`].
pub fn check_twin(case: &dyn Case, device: &Device) -> Result<Vec<Row>> {
    let values = values(&case.inputs());
    let run = Run::new(case, device, &values, &[])?;
    let magnitudes = if case.sizes().forward_terms == 0 {
        // Exact results are compared as they are.
        vec![1.0; run.outputs.len()]
    } else {
        magnitudes(case, &values, &run.outputs)
    };
    against_twin(case, &run, &values, &magnitudes)
}

/// Checks `case` with 16-bit floats where it takes such, against the twins in 32 bits on the same inputs, rounded to 16. No
/// rows if the operator takes none.
///
/// Arithmetic is in 32 bits, and what is stored in 16 is rounded by at most `2^-11` of itself: half of the last of 11
/// significant bits. That, once for each kernel in a row, comes on top of [`check_twin`]'s tolerance.
///
/// # Errors
/// As [`check`]; or if the device has no 16-bit floats.
pub fn check_half(case: &dyn Case, device: &Device) -> Result<Vec<Row>> {
    let half = case.half_inputs();
    if half.is_empty() {
        return Ok(Vec::new());
    }
    let values = values(&case.inputs());
    let run = Run::new(case, device, &values, half)?;
    let want = Run::new(case, &Device::cpu(), &values, half)?;
    let sizes = case.sizes();
    let mut rows = Vec::new();
    for (name, got, want, terms) in [
        (
            "half forward",
            &run.outputs,
            &want.outputs,
            sizes.forward_terms,
        ),
        (
            "half backward",
            &run.gradients,
            &want.gradients,
            sizes.backward_terms,
        ),
    ] {
        for (got, want) in got.iter().zip(want) {
            let rounding = match got.width {
                Width::Half => f64::from(case.half_stores()) * 2.0_f64.powi(-11),
                Width::Full => 0.0,
            };
            let tolerance = 2.0 * tolerance(terms) + rounding;
            rows.push(compare(name, got, want, largest(want), tolerance));
        }
    }
    Ok(rows)
}

fn values(inputs: &[Input]) -> Vec<Vec<f64>> {
    let seeded = (1..).zip(inputs);
    seeded.map(|(seed, input)| input.values(seed)).collect()
}

/// Compares what a GPU computed with what the twins compute.
fn against_twin(
    case: &dyn Case,
    run: &Run,
    values: &[Vec<f64>],
    magnitudes: &[f64],
) -> Result<Vec<Row>> {
    let sizes = case.sizes();
    let twin = Run::new(case, &Device::cpu(), values, &[])?;
    let mut rows = Vec::new();
    for ((got, want), magnitude) in run.outputs.iter().zip(&twin.outputs).zip(magnitudes) {
        let tolerance = 2.0 * tolerance(sizes.forward_terms);
        rows.push(compare("twin forward", got, want, *magnitude, tolerance));
    }
    for (got, want) in run.gradients.iter().zip(&twin.gradients) {
        let tolerance = 2.0 * tolerance(sizes.backward_terms);
        rows.push(compare(
            "twin backward",
            got,
            want,
            largest(want),
            tolerance,
        ));
    }
    Ok(rows)
}

/// For each output the size of what was summed: the reference of the inputs' absolute values, or of the inputs.
fn magnitudes<T: std::ops::Deref<Target = [f64]>>(
    case: &dyn Case,
    values: &[Vec<f64>],
    want: &[T],
) -> Vec<f64> {
    let absolute: Vec<Vec<f64>> = values
        .iter()
        .map(|v| v.iter().map(|x| x.abs()).collect())
        .collect();
    let of_absolute = case.reference(&absolute);
    of_absolute
        .iter()
        .zip(want)
        .map(|(a, b)| largest(a).max(largest(b)))
        .collect()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, x| {
        if x.is_finite() {
            x.abs().max(most)
        } else {
            most
        }
    })
}

/// A case's results on one device, widened to f64.
struct Run {
    dy: Vec<f64>,
    outputs: Vec<Output>,
    gradients: Vec<Output>,
}

/// A buffer's elements, and how wide they were on the device.
struct Output {
    elements: Vec<f64>,
    width: Width,
}

impl std::ops::Deref for Output {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.elements
    }
}

impl Run {
    /// Runs with the inputs that `half` names, and `dy` if it names any, rounded to 16 bits; and a GPU stores those so.
    fn new(case: &dyn Case, device: &Device, values: &[Vec<f64>], half: &[&str]) -> Result<Self> {
        let upload = |input: &Input, values: &[f64], is_half: bool| {
            if !is_half {
                return input.upload_values(device, values);
            }
            let rounded: Vec<f64> = values.iter().copied().map(to_half).collect();
            let buffer = input.upload_values(device, &rounded)?;
            let width = if device.is_cpu() {
                Width::Full
            } else {
                Width::Half
            };
            cast::forward(device, &buffer, width)
        };
        let mut buffers = Vec::new();
        for (input, values) in case.inputs().iter().zip(values) {
            buffers.push(upload(input, values, half.contains(&input.name))?);
        }
        let outputs = case.forward(device, &buffers)?;
        let upstream = case.upstream(outputs[0].len());
        let dy = upstream.values(99);
        let dy = upload(&upstream, &dy, !half.is_empty())?;
        let gradients = case.backward(device, &buffers, &dy)?;
        let read = |buffers: Vec<Buffer>| {
            buffers
                .iter()
                .map(|buffer| download(device, buffer))
                .collect()
        };
        let (outputs, gradients): (Result<_>, Result<_>) = (read(outputs), read(gradients));
        Ok(Self {
            dy: download(device, &dy)?.elements,
            outputs: outputs?,
            gradients: gradients?,
        })
    }
}

fn download(device: &Device, buffer: &Buffer) -> Result<Output> {
    let words = device.read::<f32>(&cast::forward(device, buffer, Width::Full)?)?;
    Ok(Output {
        elements: words.into_iter().map(f64::from).collect(),
        width: buffer.width(),
    })
}

/// `L = sum(dy * reference(inputs)[0])` as a function of one input.
struct Objective<'a> {
    case: &'a dyn Case,
    values: &'a [Vec<f64>],
    dy: &'a [f64],
    input: usize,
}

impl Objective<'_> {
    fn at(&self, direction: &[f64], step: f64) -> f64 {
        let mut values = self.values.to_vec();
        for (x, v) in values[self.input].iter_mut().zip(direction) {
            *x += step * v;
        }
        self.case.reference(&values)[0]
            .iter()
            .zip(self.dy)
            .map(|(y, dy)| y * dy)
            .sum()
    }

    /// Compares `gradient` with central differences along each of some directions.
    fn check(&self, name: &str, gradient: &[f64], terms: usize, flops: usize) -> Row {
        let (mut got, mut want, mut scale) = (Vec::new(), Vec::new(), 0.0_f64);
        if gradient.len() != self.values[self.input].len() {
            return compare(
                format!("backward {name}"),
                gradient,
                &self.values[self.input],
                1.0,
                0.0,
            );
        }
        let most = largest(gradient);
        for direction in directions(gradient.len(), flops) {
            let norm = direction.iter().map(|v| v * v).sum::<f64>().sqrt();
            let slope = (self.at(&direction, STEP) - self.at(&direction, -STEP)) / (2.0 * STEP);
            got.push(
                gradient
                    .iter()
                    .zip(&direction)
                    .map(|(g, v)| g * v)
                    .sum::<f64>()
                    / norm,
            );
            want.push(slope / norm);
            scale = scale.max(want[want.len() - 1].abs());
        }
        // Rounding errors of the elements are independent, so along a unit direction they add to one element's.
        // What the differences themselves lose is 1e-6 at most of the steepest slope.
        compare(
            format!("backward {name}"),
            &got,
            &want,
            most.max(scale),
            tolerance(terms) + 1e-6,
        )
    }
}

/// Every coordinate of a short input; of a long one single coordinates and dense directions, fewer where forward is dear.
fn directions(len: usize, flops: usize) -> Vec<Vec<f64>> {
    let unit = |i: usize| {
        let mut v = vec![0.0; len];
        v[i] = 1.0;
        v
    };
    if len <= 24 {
        return (0..len).map(unit).collect();
    }
    let mut random = SplitMix(7);
    let (single, dense) = if flops < 1_000_000 {
        (12, 4)
    } else if flops < 50_000_000 {
        (4, 3)
    } else {
        (1, 2)
    };
    let mut all: Vec<_> = (0..single).map(|_| unit(random.index(len))).collect();
    all.extend((0..dense).map(|_| (0..len).map(|_| 2.0 * random.unit() - 1.0).collect()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comparer_accepts_what_it_should() {
        let want: Vec<f64> = (1..100).map(f64::from).collect();
        let near: Vec<f64> = want.iter().map(|x| x + 1e-7).collect();
        assert!(
            compare("", &want, &want, 99.0, 0.0).passed,
            "equal is exact"
        );
        assert!(
            compare("", &near, &want, 99.0, 1e-8).passed,
            "within the tolerance"
        );
        assert!(
            compare("", &[f64::NAN], &[f64::NAN], 1.0, 0.0).passed,
            "NaN is NaN"
        );
    }

    #[test]
    fn the_comparer_catches_what_it_should() {
        let want: Vec<f64> = (1..100).map(f64::from).collect();
        let mut one_off = want.clone();
        one_off[57] += 1e-3;
        assert!(
            !compare("", &one_off, &want, 99.0, 1e-6).passed,
            "one element of many"
        );
        assert!(
            !compare("", &want[1..], &want, 99.0, 1.0).passed,
            "a length"
        );
        assert!(!compare("", &[f64::NAN], &[1.0], 1.0, 1e9).passed, "a NaN");
        assert!(
            !compare("", &[1.0], &[f64::INFINITY], 1.0, 1e9).passed,
            "an infinity"
        );
        assert!(
            !compare("", &[0.0; 99], &[0.0; 99], 1.0, 1e9).passed,
            "nothing but zeros"
        );
    }
}
