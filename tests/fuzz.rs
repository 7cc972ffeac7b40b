//! The fuzz targets without a fuzzer: `FUZZ_RUNS` (2,000) inputs for each parser, made from its seeds by flipped bits, cuts,
//! splices, words of the formats and numbers that overflow. The same in every run.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails fails its test"
)]

#[path = "common/pickled.rs"]
#[expect(dead_code, reason = "other tests' helpers")]
mod pickled;
#[path = "fuzz/seeds.rs"]
mod seeds;
#[path = "fuzz/targets.rs"]
mod targets;

use std::fs;
use std::path::Path;

/// What parsers look for, and numbers at the ends of their types.
const WORDS: &[&[u8]] = &[
    b"\x89PNG\r\n\x1a\n",
    b"IHDR",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\x1f\x8b\x08",
    b"\x80\x02",
    b"GIF89a",
    b"\xff\xd8\xff\xe1",
    b"[[run]]\n",
    b"[grid]\n",
    b"{\"cases\":[",
    b"\"F32\"",
    b"__metadata__",
    b"\0\0\x08\x03",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\0\0\0\0\0\0\0\0",
    b"18446744073709551616",
    b"1e999",
    b"nan",
];

/// Numbers that look random and are the same in each run (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn mutated(&mut self, seed: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len() + 1);
            match self.below(5) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 => bytes.truncate(at),
                2 => {
                    let from = self.below(other.len() + 1);
                    let upto = (from + self.below(64)).min(other.len());
                    bytes.splice(at..at, other[from..upto].iter().copied());
                }
                3 => {
                    let word = WORDS[self.below(WORDS.len())];
                    let end = (at + word.len()).min(bytes.len());
                    bytes.splice(at..end, word.iter().copied());
                }
                _ => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
            }
        }
        bytes
    }
}

/// Where a seed is written for a fuzzer: `FUZZ_CORPUS=fuzz/corpus` has a folder for each target.
fn keep(folder: &Path, seeds: &[Vec<u8>]) {
    fs::create_dir_all(folder).unwrap();
    for (idx, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{idx}")), seed).unwrap();
    }
}

#[test]
fn no_parser_panics_or_hangs_on_any_bytes() {
    let runs = std::env::var("FUZZ_RUNS").map_or(2000, |text| text.parse().unwrap());
    let corpus = std::env::var_os("FUZZ_CORPUS");
    for (name, target) in targets::TARGETS {
        let seeds = seeds::of(name);
        if let Some(corpus) = &corpus {
            keep(&Path::new(corpus).join(name), &seeds);
        }
        // A whole one is read to its end, else what is made of them has no chance of coming far.
        let n_read = seeds.iter().filter(|seed| target(seed)).count();
        assert!(n_read > 0, "{name}: none of {} seeds is read", seeds.len());
        let mut numbers = Numbers(16);
        for run in 0..runs {
            let [seed, other] = [0; 2].map(|_| numbers.below(seeds.len()));
            let bytes = numbers.mutated(&seeds[seed], &seeds[other]);
            let result = std::panic::catch_unwind(|| target(&bytes));
            assert!(result.is_ok(), "{name}, run {run} panics at {bytes:?}");
        }
    }
}
