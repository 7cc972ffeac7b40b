//! The chunks of a WebP file (RFC 9649, section 2.3): the decoder takes as much memory as a chunk's header asks for, whatever there is.

/// An error if a chunk says that it is longer than what is left of the file.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    let number = |at: usize| {
        let word = bytes.get(at..at + 4)?;
        word.try_into().ok().map(u32::from_le_bytes)
    };
    // "RIFF", the size of what follows it, "WEBP", and the chunks, of which each begins at an even place.
    let size = number(4).map_or(0, |size| size as usize);
    let end = bytes.len().min(size.saturating_add(8));
    let mut at = 12;
    while let (true, Some(length)) = (at < end, number(at + 4)) {
        let (length, left) = (length as usize, bytes.len() - at - 8);
        if length > left {
            let name = String::from_utf8_lossy(&bytes[at..at + 4]);
            return Err(format!(
                "the WebP data is cut off: chunk {name:?} says {length} bytes, and {left} are left"
            ));
        }
        at += 8 + length + length % 2;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
        let mut body = b"WEBP".to_vec();
        for (name, length, data) in chunks {
            body.extend_from_slice(*name);
            body.extend_from_slice(&length.to_le_bytes());
            body.extend_from_slice(data);
        }
        let size = u32::try_from(body.len()).expect("a small file");
        [b"RIFF".as_slice(), &size.to_le_bytes(), &body].concat()
    }

    #[test]
    fn a_chunk_beyond_the_end_of_the_file_is_an_error_that_names_it() {
        let whole = file(&[(b"VP8L", 3, &[1, 2, 3, 0]), (b"EXIF", 2, &[1, 2])]);
        assert_eq!(check(&whole), Ok(()));
        // What comes after the size that RIFF states is not WebP's.
        let followed = [whole.as_slice(), b"EXIF\xff\xff\xff\xff"].concat();
        assert_eq!(check(&followed), Ok(()));
        let long: &[u8] = &[0; 26];
        let message = check(&file(&[(b"EXIF", 0xffff_0001, long)])).unwrap_err();
        let expected = "\"EXIF\" says 4294901761 bytes, and 26";
        assert!(message.contains(expected), "{message}");
        assert!(check(&whole[..whole.len() - 1]).is_err(), "one byte short");
        for length in 0..whole.len() {
            // Any cut is whole or an error, and never a panic.
            drop(check(&whole[..length]));
        }
    }
}
