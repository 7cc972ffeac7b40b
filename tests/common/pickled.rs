//! CIFAR's Python batches by hand, as Python 2 and Python 3 write them. Included by the tests that need some.

use std::fs;
use std::path::Path;

/// Who pickles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Python {
    /// CIFAR's authors: Python 2, protocol 2.
    Two,
    /// Python 3 with protocol 2, whose bytes are texts of the same numbers.
    ThreeAsTwo,
    /// Python 3 with protocol 4.
    Four,
    /// Python 3 with protocol 5, whose arrays come from buffers.
    Five,
}

pub(crate) const EACH: [Python; 4] = [Python::Two, Python::ThreeAsTwo, Python::Four, Python::Five];

impl Python {
    fn text(self, text: &str) -> Vec<u8> {
        let (n, bytes) = (text.len(), text.as_bytes());
        match self {
            Self::Two => [b"U", &[u8::try_from(n).unwrap()][..], bytes].concat(),
            Self::ThreeAsTwo => {
                let length = u32::try_from(n).unwrap().to_le_bytes();
                [b"X", &length[..], bytes].concat()
            }
            Self::Four | Self::Five => [&[0x8c, u8::try_from(n).unwrap()][..], bytes].concat(),
        }
    }

    fn bytes(self, bytes: &[u8]) -> Vec<u8> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
        match self {
            Self::Two => [b"T", &length(bytes)[..], bytes].concat(),
            Self::ThreeAsTwo => {
                let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
                let call = b"c_codecs\nencode\nX".to_vec();
                let text = [&length(text.as_bytes())[..], text.as_bytes()].concat();
                [call, text, self.text("latin1"), b"\x86R".to_vec()].concat()
            }
            Self::Four => [b"B", &length(bytes)[..], bytes].concat(),
            Self::Five => {
                let length = (bytes.len() as u64).to_le_bytes();
                [&[0x96], &length[..], bytes].concat()
            }
        }
    }

    fn global(self, module: &str, name: &str) -> Vec<u8> {
        match self {
            Self::Two | Self::ThreeAsTwo => format!("c{module}\n{name}\n").into_bytes(),
            Self::Four | Self::Five => [self.text(module), self.text(name), vec![0x93]].concat(),
        }
    }

    /// An array of bytes `[n, 3072]`.
    fn array(self, n: usize, pixels: &[u8]) -> Vec<u8> {
        let shape = [
            b"J",
            &i32::try_from(n).unwrap().to_le_bytes()[..],
            b"M\x00\x0c\x86",
        ]
        .concat();
        let end = b"K\x00K\x01\x87R(K\x03".to_vec();
        let rest = b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb".to_vec();
        let (dtype, kind) = (self.global("numpy", "dtype"), self.text("u1"));
        let dtype = [dtype, kind, end, self.text("|"), rest].concat();
        if self == Self::Five {
            let call = self.global("numpy._core.numeric", "_frombuffer");
            let order = [self.text("C"), b"tR".to_vec()].concat();
            return [call, b"(".to_vec(), self.bytes(pixels), dtype, shape, order].concat();
        }
        let call = self.global("numpy.core.multiarray", "_reconstruct");
        let class = self.global("numpy", "ndarray");
        let empty = [
            b"K\x00\x85".to_vec(),
            self.bytes(b"b"),
            b"\x87R(K\x01".to_vec(),
        ]
        .concat();
        let state = [
            shape,
            dtype,
            b"\x89".to_vec(),
            self.bytes(pixels),
            b"tb".to_vec(),
        ]
        .concat();
        [call, class, empty, state].concat()
    }

    fn start(self) -> Vec<u8> {
        let protocol = match self {
            Self::Two | Self::ThreeAsTwo => 2,
            Self::Four => 4,
            Self::Five => 5,
        };
        vec![0x80, protocol, b'}', b'(']
    }

    /// A batch: images of three planes each, and lists of labels under their keys.
    pub(crate) fn batch(self, pixels: &[u8], labels: &[(&str, &[u8])]) -> Vec<u8> {
        let mut all = self.start();
        for (key, labels) in labels {
            all.extend([self.text(key), b"](".to_vec()].concat());
            all.extend(labels.iter().flat_map(|&label| [b'K', label]));
            all.push(b'e');
        }
        all.extend([self.text("data"), self.array(pixels.len() / 3072, pixels)].concat());
        all.extend(b"u.");
        all
    }

    /// Class names.
    pub(crate) fn names(self, lists: &[(&str, usize)]) -> Vec<u8> {
        let mut all = self.start();
        for (key, n) in lists {
            all.extend([self.text(key), b"](".to_vec()].concat());
            (0..*n).for_each(|class| all.extend(self.text(&format!("class_{class}"))));
            all.push(b'e');
        }
        all.extend(b"u.");
        all
    }
}

/// Images whose every byte is 10 times their file's number and their own.
fn pixels(file: u8, n: u8) -> Vec<u8> {
    (0..n)
        .flat_map(|image| vec![10 * file + image; 3072])
        .collect()
}

/// `cifar-10-batches-py` with so many images a file, whose label is their number modulo 10.
pub(crate) fn write_cifar10(folder: &Path, python: Python, n: u8) {
    fs::create_dir_all(folder).unwrap();
    let labels: Vec<u8> = (0..n).map(|image| image % 10).collect();
    for file in 0..6 {
        let name = match file {
            5 => "test_batch".to_owned(),
            _ => format!("data_batch_{}", file + 1),
        };
        let batch = python.batch(&pixels(file, n), &[("labels", &labels)]);
        fs::write(folder.join(name), batch).unwrap();
    }
    fs::write(
        folder.join("batches.meta"),
        python.names(&[("label_names", 10)]),
    )
    .unwrap();
}

/// `cifar-100-python`, likewise; coarse labels are the fine ones modulo 20.
pub(crate) fn write_cifar100(folder: &Path, python: Python, n: u8) {
    fs::create_dir_all(folder).unwrap();
    let fine: Vec<u8> = (0..n).map(|image| image % 100).collect();
    let coarse: Vec<u8> = fine.iter().map(|label| label % 20).collect();
    for (file, name) in [(0, "train"), (1, "test")] {
        let labels: [(&str, &[u8]); 2] = [("fine_labels", &fine), ("coarse_labels", &coarse)];
        fs::write(folder.join(name), python.batch(&pixels(file, n), &labels)).unwrap();
    }
    let names = python.names(&[("fine_label_names", 100), ("coarse_label_names", 20)]);
    fs::write(folder.join("meta"), names).unwrap();
}
