//! 500 damaged and hostile pickles, the same in every run: as a batch of CIFAR and as weights of PyTorch, each ends in one line,
//! runs nothing, and takes little memory.
//!
//! One test in a program of its own: what a process has resident is everybody's.
#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "common/pickled.rs"]
#[expect(dead_code, reason = "other tests' helpers")]
mod pickled;

use std::fs;
use std::path::Path;

use data::Cifar;
use model::{Import, Network};
use pickled::{EACH, Python, write_cifar10};
use tensor::Device;
use train::peak_host_bytes;

const MOST_BYTES: u64 = 512 << 20;
/// What `torch.save` writes before the pickle of what is saved, in files before the zip format.
const TORCH: &[u8] =
    b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.";

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

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A text of protocol 2.
fn text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_le_bytes();
    [b"X", &length[..], text.as_bytes()].concat()
}

/// Bits flipped and bytes changed, and then an end that comes too early.
fn damaged(numbers: &mut Numbers) -> Vec<u8> {
    let python = numbers.of(&EACH);
    let mut bytes = python.batch(&[7; 2 * 3072], &[("labels", &[1, 2])]);
    for _ in 0..numbers.below(8) {
        let at = numbers.below(bytes.len());
        bytes[at] = match numbers.below(3) {
            0 => bytes[at] ^ (1 << numbers.below(8)),
            1 => 0xff,
            _ => u8::try_from(numbers.below(256)).unwrap(),
        };
    }
    let end = numbers.below(bytes.len() - 1);
    bytes.truncate(end);
    bytes
}

/// A call that makes a file where anybody runs it, by each of the ways to a function.
fn calling(numbers: &mut Numbers, mark: &Path) -> Vec<u8> {
    let command = format!("touch {}", mark.display());
    let (module, name) = numbers.of(&[
        ("os", "system"),
        ("posix", "system"),
        ("subprocess", "getoutput"),
        ("builtins", "eval"),
        ("__builtin__", "exec"),
        ("numpy", "os.system"),
        ("numpy.core.multiarray", "os"),
        ("runpy", "run_path"),
        ("torch.hub", "load"),
        ("webbrowser", "open"),
    ]);
    let line = format!("{module}\n{name}\n");
    let call = match numbers.below(6) {
        0 => [b"c", line.as_bytes(), &text(&command), b"\x85R"].concat(),
        1 => [
            &text(module)[..],
            &text(name),
            b"\x93",
            &text(&command),
            b"\x85R",
        ]
        .concat(),
        2 => [b"c", line.as_bytes(), &text(&command), b"\x85\x81"].concat(),
        3 => [b"(", &text(&command)[..], b"i", line.as_bytes()].concat(),
        4 => [b"(c", line.as_bytes(), &text(&command), b"o"].concat(),
        _ => [b"c", line.as_bytes(), b")\x81}", &text(&command), b"Nsb"].concat(),
    };
    let protocol = numbers.of(b"\x02\x03\x04\x05");
    let mut bytes = vec![0x80, protocol, b'}', b'('];
    bytes.extend([text("data"), call].concat());
    bytes.extend(b"u.");
    bytes
}

/// Lengths, shapes and numbers that are larger than the file, or than any memory.
fn huge(numbers: &mut Numbers) -> Vec<u8> {
    let opcode = numbers.of(b"TXBU\x8c\x8d\x8e\x96\x8a\x8b\x95CMJr");
    let mut bytes = b"\x80\x05".to_vec();
    if numbers.below(3) == 0 {
        // An array of more elements than there are bytes, or than can be counted.
        let good = Python::Two.batch(&[7; 3072], &[("labels", &[1])]);
        let shape = b"J\x01\x00\x00\x00M\x00\x0c\x86";
        let at = good
            .windows(shape.len())
            .position(|part| part == shape)
            .unwrap();
        let other = numbers.of(&[
            &b"J\xff\xff\xff\x7fM\x00\x0c\x86"[..],
            b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7fM\x00\x0c\x86",
            b"J\xff\xff\xff\xffM\x00\x0c\x86",
            b"J\x01\x00\x00\x00J\xff\xff\xff\x7f\x86",
        ]);
        return [&good[..at], other, &good[at + shape.len()..]].concat();
    }
    let lists = numbers.below(1000);
    bytes.extend(b"]".repeat(lists));
    bytes.push(opcode);
    let length = numbers.of(&[u64::MAX, u64::MAX / 2, 1 << 40, 1 << 31, 0xffff_ffff]);
    bytes.extend(length.to_le_bytes());
    bytes.extend(vec![b'a'; numbers.below(4096)]);
    bytes
}

/// Values in values and in themselves, doubled, recalled and called again.
fn nested(numbers: &mut Numbers) -> Vec<u8> {
    let n = 1 + numbers.below(100_000);
    let mut bytes = b"\x80\x04".to_vec();
    match numbers.below(8) {
        0 => bytes.extend([b"(".repeat(n), b"t".repeat(n)].concat()),
        1 => bytes.extend([b"]".repeat(n), b"a".repeat(n - 1)].concat()),
        2 => bytes.extend([&b")"[..], &b"\x85".repeat(n)].concat()),
        3 => bytes.extend([&b")"[..], &b"2\x86".repeat(n)].concat()),
        // A list, and a dictionary, in itself.
        4 => bytes.extend(b"]q\x00h\x00a"),
        5 => bytes.extend([b"}q\x00", &text("data")[..], b"h\x00s"].concat()),
        6 => {
            // Labels that are one long text's numbers, again and again.
            let long = "1".repeat(n);
            let call = b"q\x02cnumpy.core.multiarray\nscalar\nq\x01h\x01h\x02h\x02\x86Rq\x03";
            bytes.extend(
                [
                    b"c_codecs\nencode\n",
                    &text(&long)[..],
                    &text("latin1"),
                    b"\x86R",
                ]
                .concat(),
            );
            bytes.extend([&call[..], b"]q\x04(", &b"h\x03".repeat(50_000), b"e"].concat());
            let labels = [
                b"}q\x05(",
                &text("labels")[..],
                b"h\x04",
                &text("data"),
                b"h\x04u",
            ];
            bytes.extend(labels.concat());
        }
        _ => bytes.extend(b"Nq\x00".repeat(1 << 20)),
    }
    bytes.push(b'.');
    bytes
}

/// A message of one line, without control characters.
fn assert_one_line(message: &str, what: &str) {
    assert!(
        !message.is_empty() && !message.contains(char::is_control),
        "{what}: {message:?}"
    );
}

#[test]
fn five_hundred_bad_pickles_end_in_one_line_each_and_run_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (cifar, weights) = (
        folder.path().join("cifar"),
        folder.path().join("weights.pth"),
    );
    let mark = folder.path().join("this-ran");
    write_cifar10(&cifar, Python::Two, 2);
    assert!(
        Cifar::ten().read(&cifar).is_ok(),
        "what is changed is whole"
    );
    let mut numbers = Numbers(16);
    for run in 0..500 {
        let bytes = match run % 4 {
            0 => damaged(&mut numbers),
            1 => calling(&mut numbers, &mark),
            2 => huge(&mut numbers),
            _ => nested(&mut numbers),
        };
        fs::write(cifar.join("data_batch_1"), &bytes).unwrap();
        let error = Cifar::ten().read(&cifar).unwrap_err();
        let message = error.to_string();
        assert_one_line(&message, &format!("run {run}"));
        assert!(message.contains("data_batch_1"), "run {run}: {message}");
        fs::write(&weights, [TORCH, &bytes].concat()).unwrap();
        let error = Network::import(&weights, &Import::default(), &Device::cpu()).unwrap_err();
        assert_one_line(&error.to_string(), &format!("weights of run {run}"));
        assert!(!mark.exists(), "run {run} ran something");
    }
    if let Some(peak) = peak_host_bytes() {
        assert!(peak < MOST_BYTES, "{peak} bytes");
    }
}
