//! A bar for each class: its F1, with precision and recall as ticks.

use plotters::element::{PathElement, Rectangle, Text};
use plotters::style::Color as _;
use train::ClassScore;

use super::{Anchor, count, pixels, shortened, text_style};
use crate::error::Result;
use crate::svg::{Area, BLUE, Drawn, FAINT, GREEN, INK, ORANGE, Plot, SOFT};

const WIDTH: u32 = 560;
const LETTERS: usize = 18;
const TOP: i32 = 34;
const RIGHT: i32 = 104;

/// The bars, or `None` without classes.
///
/// # Errors
/// If they can't be drawn.
pub(crate) fn classes(scores: &[ClassScore]) -> Result<Option<Plot>> {
    if scores.is_empty() {
        return Ok(None);
    }
    let (pitch, letter) = if scores.len() > 40 {
        (15, 10.5)
    } else {
        (24, 13.0)
    };
    let rows = i32::try_from(scores.len()).unwrap_or(i32::MAX / 64);
    let height = u32::try_from(TOP + pitch * rows + 10).unwrap_or(1);
    let title =
        "F1 of each class (bar and number, images in brackets), precision and recall (ticks)";
    let plot = Plot::draw("classes", title, [WIDTH, height], |area| {
        let longest = scores.iter().map(|class| class.name.chars().count()).max();
        let left = pixels(0.62 * letter * count(longest.unwrap_or(0).min(LETTERS))) + 14;
        let right = i32::try_from(WIDTH)? - RIGHT;
        legend(area, left)?;
        let x = |share: f64| left + pixels(share * f64::from(right - left));
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let bottom = TOP + pitch * rows;
            let line = vec![(x(share), TOP - 2), (x(share), bottom)];
            area.draw(&PathElement::new(line, FAINT.stroke_width(1)))?;
        }
        for (class, row) in scores.iter().zip(0..) {
            let y = TOP + pitch * row;
            let middle = y + pitch / 2;
            let name = text_style(letter, INK, Anchor::End);
            let text = shortened(&class.name, LETTERS);
            area.draw(&Text::new(text, (left - 6, middle), name))?;
            let bar = [(x(0.0), y + 2), (x(class.f1), y + pitch - 3)];
            area.draw(&Rectangle::new(bar, BLUE.mix(0.75).filled()))?;
            for (share, colour) in [(class.precision, ORANGE), (class.recall, GREEN)] {
                let tick = vec![(x(share), y + 1), (x(share), y + pitch - 2)];
                area.draw(&PathElement::new(tick, colour.stroke_width(3)))?;
            }
            let value = text_style(letter, SOFT, Anchor::Start);
            let text = format!("{:.3} ({})", class.f1, class.support);
            area.draw(&Text::new(text, (right + 6, middle), value))?;
        }
        Ok(Vec::new())
    });
    plot.map(Some)
}

fn legend(area: &Area<'_>, left: i32) -> Drawn {
    let mut x = left;
    for (name, colour) in [("F1", BLUE), ("precision", ORANGE), ("recall", GREEN)] {
        let swatch = [(x, 10), (x + 12, 20)];
        area.draw(&Rectangle::new(swatch, colour.filled()))?;
        let style = text_style(13.0, INK, Anchor::Start);
        area.draw(&Text::new(name, (x + 17, 15), style))?;
        x += 34 + pixels(8.0 * count(name.len()));
    }
    Ok(())
}
