//! The plots, one module for each kind. They take numbers and names; where those come from is `run`'s and `sheets`'
//! business.

pub(crate) mod bars;
pub(crate) mod confusion;
pub(crate) mod curves;
pub(crate) mod ridges;
pub(crate) mod sheet;

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{IntoFont as _, RGBColor, TextStyle};

use crate::svg::SANS;

/// How text stands to its point: left, middle or right of it, on its middle line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// Text of this size (pixels of an em) and colour. Plotters' own size is that of a line.
pub(crate) fn text_style(size: f64, colour: RGBColor, anchor: Anchor) -> TextStyle<'static> {
    let h_pos = match anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let style = (SANS, 1.24 * size).into_font().color(&colour);
    style.pos(Pos::new(h_pos, VPos::Center))
}

/// A text's first letters, with an ellipsis where some are missing.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}\u{2026}")
}

/// A coordinate. Plots are far smaller than its range.
pub(crate) fn pixels(value: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "clamped to the range")]
    let pixels = value.round().clamp(-1e6, 1e6) as i32;
    pixels
}

/// A count as a coordinate or a factor.
pub(crate) fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
