//! Records of a TensorFlow record file: little-endian length, its masked CRC-32C, the bytes, and their masked CRC-32C
//! (`tensorflow/core/lib/io/record_writer.cc`).

/// Added to a rotated checksum, so that data with checksums inside has another one.
const MASK: u32 = 0xA282_EAD8;

fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(MASK)
}

/// The bytes as a record.
pub(super) fn framed(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    [
        &length[..],
        &masked(&length).to_le_bytes(),
        bytes,
        &masked(bytes).to_le_bytes(),
    ]
    .concat()
}

/// The records of a file, or the byte at which one is damaged or cut off.
///
/// ```
/// // An empty record: no bytes, each length and checksum as little-endian numbers.
/// let record = [&[0_u8; 8][..], &0x0798_0329_u32.to_le_bytes(), &0xa282_ead8_u32.to_le_bytes()].concat();
/// assert_eq!(report::records(&record), Ok(vec![&b""[..]]));
/// assert_eq!(report::records(&record[..10]), Err(0));
/// ```
///
/// # Errors
/// The offset of the first bad record.
pub fn records(mut file: &[u8]) -> Result<Vec<&[u8]>, usize> {
    let whole = file.len();
    let mut records = Vec::new();
    while !file.is_empty() {
        let place = whole - file.len();
        let (bytes, rest) = split(file).ok_or(place)?;
        records.push(bytes);
        file = rest;
    }
    Ok(records)
}

/// The first record's bytes and what follows it, if its checksums are right.
fn split(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = file.split_first_chunk::<8>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let is_whole = masked(length) == u32::from_le_bytes(*sum);
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (bytes, rest) = rest.split_at_checked(length)?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    (is_whole && masked(bytes) == u32::from_le_bytes(*sum)).then_some((bytes, rest))
}
