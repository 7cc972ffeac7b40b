//! Which training images are set aside for validation.

use std::fmt;
use std::str::FromStr;

use data::Validation;
use serde::{Deserialize, Serialize};

/// Which training images are set aside for validation: a number of them, a share such as `20%`, or those of one of the data
/// set's files, such as CIFAR-10's `data_batch_5`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum ValidationKind {
    /// So many, each class in proportion; 0 for none.
    Count(usize),
    /// This share, in percent, each class in proportion.
    Percent(f64),
    /// Those of the file of this name.
    File(String),
}

/// As TOML has it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(usize),
    Text(String),
}

impl ValidationKind {
    /// What opens a data set.
    pub(crate) fn to_data(&self) -> Validation {
        match self {
            Self::Count(n) => Validation::Count(*n),
            Self::Percent(percent) => Validation::Fraction(percent / 100.0),
            Self::File(name) => Validation::File(name.clone()),
        }
    }
}

impl From<usize> for ValidationKind {
    fn from(n: usize) -> Self {
        Self::Count(n)
    }
}

impl FromStr for ValidationKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            "a number of images, a share such as 20%, `none`, or a file such as data_batch_5";
        let wrong = || format!("validation: expected {expected}, got {text:?}");
        if text == "none" {
            return Ok(Self::Count(0));
        }
        if let Ok(n) = text.parse() {
            return Ok(Self::Count(n));
        }
        if let Some(number) = text.strip_suffix('%') {
            let percent = number.trim().parse().map_err(|_word| wrong())?;
            return if 0.0 < percent && percent < 100.0 {
                Ok(Self::Percent(percent))
            } else {
                Err(wrong())
            };
        }
        // A name has a letter: -5 and 0.2 are none.
        if text.is_empty() || !text.starts_with(|c: char| c.is_alphabetic()) {
            return Err(wrong());
        }
        Ok(Self::File(text.to_owned()))
    }
}

impl fmt::Display for ValidationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(n) => write!(f, "{n}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::File(name) => f.write_str(name),
        }
    }
}

impl TryFrom<Written> for ValidationKind {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Number(n) => Ok(Self::Count(n)),
            Written::Text(text) => text.parse(),
        }
    }
}

impl From<ValidationKind> for Written {
    fn from(kind: ValidationKind) -> Self {
        match kind {
            ValidationKind::Count(n) => Self::Number(n),
            other => Self::Text(other.to_string()),
        }
    }
}

pub(super) const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
pub(super) const fn is_yes(flag: &bool) -> bool {
    *flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_shares_and_files_are_told_apart() {
        for (text, expected) in [
            ("0", ValidationKind::Count(0)),
            ("none", ValidationKind::Count(0)),
            ("5000", ValidationKind::Count(5000)),
            ("20%", ValidationKind::Percent(20.0)),
            ("12.5 %", ValidationKind::Percent(12.5)),
            (
                "data_batch_5",
                ValidationKind::File("data_batch_5".to_owned()),
            ),
        ] {
            let kind: ValidationKind = text.parse().unwrap();
            assert_eq!(kind, expected, "{text}");
            assert_eq!(kind.to_string().parse(), Ok(kind), "{text}");
        }
        for text in ["", "-5", "0.2", "0%", "100%", "nan%", "many%"] {
            let message = text.parse::<ValidationKind>().unwrap_err();
            assert!(message.contains("20%"), "{text}: {message}");
        }
    }
}
