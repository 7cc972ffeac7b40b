//! Gradient checking: backward against central differences, for functions of anybody's own.
//!
//! [`gradcheck`] differentiates a function of tensors numerically, in f32, and compares with the tape's gradients. Not for the
//! operators' own proof, whose references are f64 and whose tolerances are derived: that is the crate `verify`.

use crate::error::Result;
use crate::tape::no_grad;
use crate::tensor::{DType, Tensor};

/// How closely [`gradcheck`] looks.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Step of the central differences, in units of the input's largest absolute value.
    pub step: f32,
    /// Largest difference allowed, as a fraction of the input's largest gradient.
    pub tolerance: f64,
    /// How many elements of each input are looked at, spread evenly.
    pub samples: usize,
}

impl Default for Options {
    /// In f32 a step of 1 % loses about `2^-24 / 0.01`, 6e-6 of the function's size, to rounding and 1e-4 of its
    /// curvature to truncation; 1 % of the largest gradient leaves room for both and catches any wrong formula.
    fn default() -> Self {
        Self {
            step: 1e-2,
            tolerance: 1e-2,
            samples: 64,
        }
    }
}

/// What [`gradcheck`] found for one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which input.
    pub input: usize,
    /// The element with the worst error.
    pub element: usize,
    /// The tape's gradient there.
    pub analytic: f64,
    /// The central difference there.
    pub numeric: f64,
    /// The difference as a fraction of the input's largest gradient.
    pub error: f64,
    /// Whether it is within the tolerance.
    pub passed: bool,
}

/// Compares the gradients of `f` at `inputs` with central differences: one [`Finding`] for each float input.
///
/// The function's outputs are weighted by fixed numbers and summed, so that no cancellation hides an error. It must be
/// smooth within a step of the inputs: keep away from the kinks of ReLU and of maxima.
///
/// # Errors
/// Those of `f`; [`Error::NoTape`](crate::Error::NoTape) if its result depends on no input.
pub fn gradcheck(
    inputs: &[Tensor],
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
    options: &Options,
) -> Result<Vec<Finding>> {
    let parameters: Vec<Tensor> = inputs
        .iter()
        .map(|input| match input.dtype() {
            DType::F32 => input.clone().into_parameter(),
            _ => input.clone(),
        })
        .collect();
    let output = f(&parameters)?;
    let weights = weights(output.shape().elements());
    let weight_tensor = Tensor::from_slice(output.device(), &weights, output.shape().clone())?;
    let gradients = output.mul(&weight_tensor)?.backward()?;
    let objective = |inputs: &[Tensor]| -> Result<f64> {
        let values = no_grad(|| f(inputs))?.to_vec::<f32>()?;
        let products = values.iter().zip(&weights);
        Ok(products.map(|(&y, &w)| f64::from(y) * f64::from(w)).sum())
    };
    let mut findings = Vec::new();
    for (i, parameter) in parameters.iter().enumerate() {
        if parameter.dtype() == DType::F32 {
            let gradient = match gradients.get(parameter) {
                Some(gradient) => gradient.to_vec::<f32>()?,
                None => vec![0.0; parameter.shape().elements()],
            };
            findings.push(check_input(&parameters, i, &gradient, &objective, options)?);
        }
    }
    Ok(findings)
}

/// Compares the gradient of one input at evenly spread elements.
fn check_input(
    inputs: &[Tensor],
    input: usize,
    gradient: &[f32],
    objective: &dyn Fn(&[Tensor]) -> Result<f64>,
    options: &Options,
) -> Result<Finding> {
    let values = inputs[input].to_vec::<f32>()?;
    let largest = |values: &[f32]| values.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let step = options.step * largest(&values).max(f32::MIN_POSITIVE);
    let at = |element: usize, value: f32| -> Result<f64> {
        let mut moved = values.clone();
        moved[element] = value;
        let mut inputs = inputs.to_vec();
        let shape = inputs[input].shape().clone();
        inputs[input] = Tensor::from_slice(inputs[input].device(), &moved, shape)?;
        objective(&inputs)
    };
    let mut pairs = Vec::new();
    for element in (0..values.len()).step_by((values.len() / options.samples.max(1)).max(1)) {
        let (up, down) = (values[element] + step, values[element] - step);
        let slope = (at(element, up)? - at(element, down)?) / (f64::from(up) - f64::from(down));
        pairs.push((element, f64::from(gradient[element]), slope));
    }
    let steepest = pairs
        .iter()
        .fold(f64::from(largest(gradient)), |most, pair| {
            most.max(pair.2.abs())
        });
    let scale = if steepest > 0.0 { steepest } else { 1.0 };
    // A NaN must lose against every number, so it counts as infinitely wrong.
    let error = |&(_, a, n): &(usize, f64, f64)| {
        let error = (a - n).abs() / scale;
        if error.is_nan() { f64::INFINITY } else { error }
    };
    let worst = pairs.iter().max_by(|a, b| error(a).total_cmp(&error(b)));
    let &(element, analytic, numeric) = worst.unwrap_or(&(0, 0.0, 0.0));
    let error = worst.map_or(0.0, error);
    Ok(Finding {
        input,
        element,
        analytic,
        numeric,
        error,
        passed: error <= options.tolerance,
    })
}

/// Fixed weights in [0.5, 1.5), different from each other.
fn weights(len: usize) -> Vec<f32> {
    const GOLDEN_RATIO: f32 = 0.618_034;
    let mut weight = 0.5;
    let mut next = || {
        weight = if weight + GOLDEN_RATIO < 1.5 {
            weight + GOLDEN_RATIO
        } else {
            weight + GOLDEN_RATIO - 1.0
        };
        weight
    };
    (0..len).map(|_| next()).collect()
}
