//! The checks of a case on a device.

use std::sync::OnceLock;

use kernels::ops::cast;
use kernels::{Buffer, Device, Result, Width};

use super::cases::Case;
use super::compare::{Row, compare, largest, tolerance};
use super::differences::Objective;
use super::fill::{Input, round_to_f16};

/// A GPU for tests: the best adapter, a software one if there is nothing else.
///
/// # Errors
/// Why there is none. With `REQUIRE_GPU=1` in the environment that is a failure for tests, else a skip.
pub fn gpu() -> Result<Device, String> {
    static GPU: OnceLock<Result<Device, String>> = OnceLock::new();
    GPU.get_or_init(|| Device::open("gpu").map_err(|error| error.to_string()))
        .clone()
}

/// Checks `case` on `device`: forward against the f64 reference, backward against central differences of it, and on
/// a GPU both against the twins.
///
/// # Errors
/// Those of the operator or the device; a wrong result is a [`Row`] that did not pass, not an error.
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
    let parameters: Vec<usize> = (0..inputs.len())
        .filter(|&i| inputs[i].requires_grad)
        .collect();
    if run.gradients.len() != parameters.len() {
        rows.push(wrong_count(run.gradients.len(), parameters.len()));
    }
    for (&input, gradient) in parameters.iter().zip(&run.gradients) {
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
fn wrong_count(gradients: usize, parameters: usize) -> Row {
    Row {
        check: "backward".to_owned(),
        error: f64::INFINITY,
        tolerance: 0.0,
        passed: false,
        note: format!("{gradients} gradients of {parameters} inputs"),
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

/// Checks `case` with f16 where it takes such, against the twins in 32 bits on the same inputs, rounded to 16. No
/// rows if the operator takes none.
///
/// Arithmetic is in 32 bits, and what is stored in 16 is rounded by at most `2^-11` of itself: half of the last of 11
/// significant bits. That, once for each kernel in a row, comes on top of [`check_twin`]'s tolerance.
///
/// # Errors
/// As [`check`]; or if the device has no f16.
pub fn check_f16(case: &dyn Case, device: &Device) -> Result<Vec<Row>> {
    let f16 = case.f16_inputs();
    if f16.is_empty() {
        return Ok(Vec::new());
    }
    let values = values(&case.inputs());
    let run = Run::new(case, device, &values, f16)?;
    let want = Run::new(case, &Device::cpu(), &values, f16)?;
    let sizes = case.sizes();
    let mut rows = Vec::new();
    for (name, got, want, terms) in [
        (
            "f16 forward",
            &run.outputs,
            &want.outputs,
            sizes.forward_terms,
        ),
        (
            "f16 backward",
            &run.gradients,
            &want.gradients,
            sizes.backward_terms,
        ),
    ] {
        for (got, want) in got.iter().zip(want) {
            let rounding = match got.width {
                Width::F16 => f64::from(case.f16_stores()) * 2.0_f64.powi(-11),
                Width::Word => 0.0,
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
    /// Runs with the inputs that `f16` names, and `dy` if it names any, rounded to 16 bits; and a GPU stores those so.
    fn new(case: &dyn Case, device: &Device, values: &[Vec<f64>], f16: &[&str]) -> Result<Self> {
        let upload = |input: &Input, values: &[f64], is_f16: bool| {
            if !is_f16 {
                return input.upload_values(device, values);
            }
            let rounded: Vec<f64> = values.iter().copied().map(round_to_f16).collect();
            let buffer = input.upload_values(device, &rounded)?;
            let width = if device.is_cpu() {
                Width::Word
            } else {
                Width::F16
            };
            cast::forward(device, &buffer, width)
        };
        let mut buffers = Vec::new();
        for (input, values) in case.inputs().iter().zip(values) {
            buffers.push(upload(input, values, f16.contains(&input.name))?);
        }
        let outputs = case.forward(device, &buffers)?;
        let upstream = case.upstream(outputs[0].len());
        let dy = upstream.values(99);
        let dy = upload(&upstream, &dy, !f16.is_empty())?;
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
    let words = device.read::<f32>(&cast::forward(device, buffer, Width::Word)?)?;
    Ok(Output {
        elements: words.into_iter().map(f64::from).collect(),
        width: buffer.width(),
    })
}
