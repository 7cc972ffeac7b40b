//! Takes from a SPIR-V module the decorations that naga should not have written (wgpu issue 7696), so that what else may be wrong with the
//! module shows: spirv-val stops at the first error.
//!
//! Numbers are those of the SPIR-V specification, sections 3.7, 3.20 and 3.42.

use std::collections::{HashMap, HashSet};

use anyhow::{Result, ensure};

const TYPE_ARRAY: u32 = 28;
const TYPE_RUNTIME_ARRAY: u32 = 29;
const TYPE_STRUCT: u32 = 30;
const TYPE_POINTER: u32 = 32;
const DECORATE: u32 = 71;
const MEMBER_DECORATE: u32 = 72;

const ARRAY_STRIDE: u32 = 6;
const OFFSET: u32 = 35;

/// Storage classes whose types may not be laid out: Workgroup, Private, Function.
const LOOSE: [u32; 3] = [4, 6, 7];
const MAGIC: u32 = 0x0723_0203;
const HEADER: usize = 5;

/// The module without strides and offsets of types that only variables outside of buffers have.
pub(super) fn without_layouts(bytes: &[u8]) -> Result<Vec<u8>> {
    let words: Vec<u32> = bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&word| u32::from_le_bytes(word))
        .collect();
    ensure!(
        words.len() >= HEADER && words[0] == MAGIC,
        "not a SPIR-V module"
    );
    let instructions = instructions(&words)?;
    let mut parts: HashMap<u32, &[u32]> = HashMap::new();
    let (mut loose, mut laid_out) = (Vec::new(), Vec::new());
    for &(opcode, operands) in &instructions {
        match (opcode, operands) {
            (TYPE_ARRAY | TYPE_RUNTIME_ARRAY, [id, element, ..]) => {
                parts.insert(*id, std::slice::from_ref(element));
            }
            (TYPE_STRUCT, [id, members @ ..]) => {
                parts.insert(*id, members);
            }
            (TYPE_POINTER, [_, class, pointee]) if LOOSE.contains(class) => loose.push(*pointee),
            (TYPE_POINTER, [_, _, pointee]) => laid_out.push(*pointee),
            _ => {}
        }
    }
    let (loose, laid_out) = (reached(&parts, loose), reached(&parts, laid_out));
    let is_wrong = |id: &u32| loose.contains(id) && !laid_out.contains(id);
    let mut kept = words[..HEADER].to_vec();
    for (opcode, operands) in instructions {
        match (opcode, operands) {
            (DECORATE, [id, ARRAY_STRIDE, ..]) | (MEMBER_DECORATE, [id, _, OFFSET, ..])
                if is_wrong(id) => {}
            _ => {
                // A word with the length in the upper half, as it was read.
                let length = u32::try_from(operands.len() + 1)?;
                kept.push(length << 16 | opcode);
                kept.extend_from_slice(operands);
            }
        }
    }
    Ok(kept.into_iter().flat_map(u32::to_le_bytes).collect())
}

/// Opcodes and operands, in order.
fn instructions(words: &[u32]) -> Result<Vec<(u32, &[u32])>> {
    let mut rest = &words[HEADER..];
    let mut found = Vec::new();
    while let [first, ..] = rest {
        let length = (first >> 16) as usize;
        ensure!(
            (1..=rest.len()).contains(&length),
            "a SPIR-V instruction is cut off"
        );
        found.push((first & 0xffff, &rest[1..length]));
        rest = &rest[length..];
    }
    Ok(found)
}

/// The types and all that they consist of.
fn reached(parts: &HashMap<u32, &[u32]>, mut todo: Vec<u32>) -> HashSet<u32> {
    let mut all = HashSet::new();
    while let Some(id) = todo.pop() {
        if all.insert(id) {
            todo.extend_from_slice(parts.get(&id).copied().unwrap_or_default());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(instructions: &[(u32, &[u32])]) -> Vec<u8> {
        let mut words = vec![MAGIC, 0x0001_0600, 0, 100, 0];
        for (opcode, operands) in instructions {
            let length = u32::try_from(operands.len() + 1).unwrap();
            words.push(length << 16 | opcode);
            words.extend_from_slice(operands);
        }
        words.into_iter().flat_map(u32::to_le_bytes).collect()
    }

    #[test]
    fn buffers_keep_their_layout() {
        // Array 10 is in workgroup memory, array 11 in a storage buffer; struct 12 is in a function's variable.
        let types: [(u32, &[u32]); 6] = [
            (TYPE_ARRAY, &[10, 1, 2]),
            (TYPE_RUNTIME_ARRAY, &[11, 1]),
            (TYPE_STRUCT, &[12, 1, 1]),
            (TYPE_POINTER, &[20, 4, 10]),
            (TYPE_POINTER, &[21, 12, 11]),
            (TYPE_POINTER, &[22, 7, 12]),
        ];
        let [wrong, right, offset]: [(u32, &[u32]); 3] = [
            (DECORATE, &[10, ARRAY_STRIDE, 16]),
            (DECORATE, &[11, ARRAY_STRIDE, 16]),
            (MEMBER_DECORATE, &[12, 1, OFFSET, 4]),
        ];
        let before = module(&[&[wrong, right, offset], &types[..]].concat());
        let after = module(&[&[right], &types[..]].concat());
        assert_eq!(without_layouts(&before).unwrap(), after);
    }

    #[test]
    fn what_is_not_spirv_is_an_error() {
        assert!(without_layouts(b"#version 450 core...").is_err());
        let mut cut = module(&[(DECORATE, &[10, ARRAY_STRIDE, 16])]);
        cut.truncate(cut.len() - 4);
        assert!(without_layouts(&cut).is_err());
    }
}
