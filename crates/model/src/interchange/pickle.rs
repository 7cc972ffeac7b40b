//! The pickles that `torch.save` makes: of what the crate `pickle` reads, the tensors that a file describes.

mod calls;
mod state;

use pickle::Result;

use calls::Torch;

pub(super) use calls::TensorPlace;
pub(super) use state::State;

/// The tensors that a pickle describes: those of a state dict, of a checkpoint around one, or of a whole model. The bytes
/// may go on behind it.
pub(super) fn state_dict(bytes: &[u8]) -> Result<State> {
    let mut torch = Torch::default();
    let pickle = pickle::read(bytes, &mut torch)?;
    State::of(&pickle, &torch)
}

/// The texts of a list, and how many bytes it took: the keys of the storages in a file before the zip format.
pub(super) fn list_of_texts(bytes: &[u8]) -> Result<(Vec<String>, usize)> {
    let pickle = pickle::read(bytes, &mut Torch::default())?;
    let texts = pickle.graph.sequence(pickle.root);
    let texts = texts.and_then(|values| {
        let text = |value: &pickle::Value| pickle.graph.text(*value).map(str::to_owned);
        values.iter().map(text).collect()
    });
    let texts = texts.ok_or_else(|| "no list of names".to_owned())?;
    Ok((texts, pickle.length))
}

/// The length of a pickle of anything.
pub(super) fn length(bytes: &[u8]) -> Result<usize> {
    Ok(pickle::read(bytes, &mut Torch::default())?.length)
}

#[cfg(test)]
mod tests;
