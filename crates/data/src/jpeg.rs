//! What a JPEG's markers say without decoding it: whether it is whole, and how much its decoder keeps in memory.
//!
//! ITU-T T.81, annex B: segments with a length follow one another; the data of a scan follows its header, and ends at the
//! first marker that is neither a restart nor a stuffed zero.

/// What the markers up to the end of the image say. What lies behind the end is not looked at: phones put a second
/// image or a film there, servers a line of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Markers {
    /// Whether the end of the image is marked. Without, the last rows may be missing, and a decoder makes them up.
    pub(crate) is_whole: bool,
    /// Components of the frame: 1 for grey, 3 for colours, 4 for inks.
    pub(crate) components: u8,
    /// Whether the coefficients of the whole image are kept until its last scan: progressive images, and those with a
    /// scan for each component.
    pub(crate) keeps_all: bool,
}

/// Reads the markers of a JPEG.
pub(crate) fn markers(bytes: &[u8]) -> Markers {
    let mut found = Markers::default();
    let mut at = 0;
    while let Some(marker) = next_marker(bytes, &mut at) {
        match marker {
            0xD9 => {
                found.is_whole = true;
                return found;
            }
            // Start of image, restarts, and a marker of arithmetic coding: no length follows.
            0x01 | 0xD0..=0xD8 => continue,
            _ => {}
        }
        let Some(segment) = segment(bytes, at) else {
            return found;
        };
        match marker {
            // Frames of all kinds; C4, C8 and CC are tables.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                found.components = segment.get(5).copied().unwrap_or_default();
                found.keeps_all |= !matches!(marker, 0xC0 | 0xC1);
            }
            0xDA => found.keeps_all |= segment.first() < Some(&found.components),
            _ => {}
        }
        at += 2 + segment.len();
    }
    found
}

/// The code of the next marker at or behind `at`, which becomes the place behind it. Bytes before it are passed over, as
/// libjpeg does: they are a scan's data, or garbage.
fn next_marker(bytes: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        *at += bytes.get(*at..)?.iter().position(|byte| *byte == 0xFF)?;
        // Any number of fill bytes may precede a code.
        while *bytes.get(*at)? == 0xFF {
            *at += 1;
        }
        let code = bytes[*at];
        *at += 1;
        if code != 0 {
            return Some(code);
        }
    }
}

/// What follows a segment's length, which counts its own two bytes.
fn segment(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = bytes.get(at..at + 2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    bytes.get(at + 2..at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Start, a frame of three components, a scan of `n` of them with data, and what follows.
    fn jpeg(frame: u8, n: u8, end: &[u8]) -> Vec<u8> {
        let mut bytes = b"\xff\xd8\xff\xe1\0\x06\xff\xd9\xff\xda".to_vec();
        bytes.extend([0xFF, frame, 0, 8, 8, 0, 1, 0, 1, 3]);
        bytes.extend([0xFF, 0xDA, 0, 3, n, 1, 0xFF, 0, 0xFF, 0xD0, 2]);
        bytes.extend(end);
        bytes
    }

    #[test]
    fn the_end_counts_and_what_is_behind_it_does_not() {
        let whole = |end: &[u8]| markers(&jpeg(0xC0, 3, end)).is_whole;
        assert!(whole(b"\xff\xd9"));
        assert!(whole(b"\xff\xff\xd9\xff\xd8\xff\xda\0\x08 and a film"));
        assert!(!whole(b""), "markers inside a segment are data");
        assert!(!whole(b"\xff\xda\0"), "another scan, cut off");
        assert!(!markers(b"").is_whole && !markers(b"\xff\xff").is_whole);
    }

    #[test]
    fn progressive_and_separate_scans_keep_the_image() {
        let keeps = |frame, n| markers(&jpeg(frame, n, b"\xff\xd9"));
        assert!(!keeps(0xC0, 3).keeps_all);
        assert!(keeps(0xC2, 3).keeps_all && keeps(0xC0, 1).keeps_all);
        assert_eq!(keeps(0xC2, 3).components, 3);
    }
}
