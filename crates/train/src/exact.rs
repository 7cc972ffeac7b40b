//! A number as the shortest text that is read back as the same bits: JSON has no infinity, and its reader may change the last
//! bit.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
pub(crate) fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(number)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let text = String::deserialize(from)?;
    let number: f64 = text.parse().map_err(D::Error::custom)?;
    if number.is_nan() {
        return Err(D::Error::custom("expected a number, found NaN"));
    }
    Ok(number)
}
