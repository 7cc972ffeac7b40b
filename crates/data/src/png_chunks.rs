//! PNG without what its decoder would unpack and nobody looks at: texts and colour profiles are compressed, and half a
//! megabyte of them becomes gigabytes.

use std::borrow::Cow;

/// A PNG's signature.
const SIGNATURE: usize = 8;
/// A chunk's length, name and checksum.
const AROUND: usize = 12;
/// Profiles and texts: <https://www.w3.org/TR/png-3/>, sections 11.3.2.3 and 11.3.3.
const LEFT_OUT: [&[u8; 4]; 4] = [b"iCCP", b"tEXt", b"zTXt", b"iTXt"];

/// The same image without texts and profiles. Whatever is wrong with its chunks is left for the decoder to find.
pub(crate) fn without_text(png: &[u8]) -> Cow<'_, [u8]> {
    let (mut kept, mut at) = (Vec::new(), SIGNATURE);
    // What stands before the last chunk that was left out is kept up to here.
    let mut from = 0;
    while let Some(length) = png.get(at..at + 4) {
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
        let end = at.saturating_add(AROUND).saturating_add(length as usize);
        if end > png.len() {
            break;
        }
        let name = &png[at + 4..at + 8];
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            kept.extend_from_slice(&png[from..at]);
            from = end;
        }
        at = end;
    }
    if from == 0 {
        return Cow::Borrowed(png);
    }
    kept.extend_from_slice(&png[from..]);
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::without_text;

    #[test]
    fn texts_and_profiles_are_left_out_and_nothing_else() {
        let png = b"signatur\0\0\0\x02IHDRabcrc1\0\0\0\0zTXtcrc2\0\0\0\x01IDATxcrc3";
        let expected = b"signatur\0\0\0\x02IHDRabcrc1\0\0\0\x01IDATxcrc3";
        assert_eq!(*without_text(png), *expected);
        assert_eq!(*without_text(expected), *expected);
        let cut = b"signatur\xff\xff\xff\xffzTXtcrc2";
        assert_eq!(*without_text(cut), *cut, "longer than the file");
        assert_eq!(*without_text(b"sig"), *b"sig");
    }
}
