//! `norms.csv`: the norm of each parameter and of its gradient, once an epoch.

use std::path::Path;

use model::Network;
use tensor::{Gradients, Tensor};

use crate::error::Result;
use crate::run::rows::significant;

/// The file in a run folder.
const NAME: &str = "norms.csv";
/// Longer files are refused: a thousand epochs of fifty parameters are a hundredth of this.
const MOST_BYTES: u64 = 256 << 20;
const COLUMNS: &str = "epoch,step,parameter,weight_norm,gradient_norm";

/// Adds the rows of an epoch's end to a run's file: of each trained parameter, the Euclidean norm after the epoch's last
/// step, and that of its gradient in the last batch, times `unscale` where the loss was scaled. Rows that are there already
/// from this epoch on are dropped.
pub(crate) fn note(
    run: &Path,
    epoch: u64,
    step: u64,
    network: &Network,
    gradients: &Gradients,
    unscale: Option<&Tensor>,
) -> Result<()> {
    let path = run.join(NAME);
    let mut text = format!("{COLUMNS}\n");
    for line in read(&path)?.lines().skip(1) {
        let of = line.split(',').next().and_then(|cell| cell.parse().ok());
        if of.is_some_and(|of: u64| of < epoch) {
            text.push_str(line);
            text.push('\n');
        }
    }
    let unscale = unscale.map(norm).transpose()?.unwrap_or(1.0);
    for (name, parameter) in network.parameters() {
        let Some(gradient) = gradients.get(parameter) else {
            continue;
        };
        let [weights, gradient] = [norm(parameter)?, norm(gradient)? * unscale].map(significant);
        text.push_str(&format!("{epoch},{step},{name},{weights},{gradient}\n"));
    }
    Ok(files::replace(&path, text.as_bytes())?)
}

fn read(path: &Path) -> Result<String> {
    match files::read_text(path, MOST_BYTES) {
        Err(error) if error.is_not_found() => Ok(String::new()),
        text => Ok(text?),
    }
}

/// The Euclidean norm.
fn norm(tensor: &Tensor) -> Result<f64> {
    let squares = tensor
        .to_vec::<f32>()?
        .into_iter()
        .map(|x| f64::from(x) * f64::from(x));
    Ok(squares.sum::<f64>().sqrt())
}
