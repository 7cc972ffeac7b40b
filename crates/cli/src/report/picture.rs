//! Pictures in letters: half blocks of two colours on a terminal that has colours, else shades from dark to light.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use report::LessonPicture;

use super::columns;

/// Columns of a picture, and between two.
const WIDTH: usize = 38;
const GAP: usize = 2;
/// Columns where nothing tells how many there are.
const USUAL: usize = 80;
/// From dark to light.
const SHADES: &[u8] = b" .:-=+*#%@";

/// How a place is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ink {
    Shades,
    /// The 256 colours that every terminal has.
    Colours,
    /// Red, green and blue.
    True,
}

/// Pictures beside each other as far as the terminal is wide, their captions below them.
pub(super) fn in_letters(pictures: &[LessonPicture]) -> String {
    let stream = std::io::stdout();
    let is_set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let has_true = || std::env::var("COLORTERM").is_ok_and(|it| it == "truecolor" || it == "24bit");
    let ink = match () {
        // https://no-color.org
        () if !stream.is_terminal() || is_set("NO_COLOR") => Ink::Shades,
        () if has_true() => Ink::True,
        () => Ink::Colours,
    };
    let columns = columns(&stream).unwrap_or(USUAL);
    let beside = ((columns + GAP) / (WIDTH + GAP)).max(1);
    let width = WIDTH.min(columns.max(1));
    let mut text = String::new();
    for row in pictures.chunks(beside) {
        let drawn: Vec<_> = row
            .iter()
            .map(|picture| drawn(picture, width, ink))
            .collect();
        let height = drawn.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let parts = drawn.iter().map(|lines| {
                let blank = || " ".repeat(width);
                lines.get(line).cloned().unwrap_or_else(blank)
            });
            push_line(&mut text, parts);
        }
        let captions: Vec<_> = row.iter().map(|it| wrapped(&it.caption, width)).collect();
        let height = captions.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            let parts = captions.iter().map(|lines| {
                let line = lines.get(line).map_or("", String::as_str);
                format!("{line:<width$}")
            });
            push_line(&mut text, parts);
        }
        text.push('\n');
    }
    text
}

fn push_line(text: &mut String, parts: impl Iterator<Item = String>) {
    let line = parts.collect::<Vec<_>>().join(&" ".repeat(GAP));
    text.push_str(line.trim_end());
    text.push('\n');
}

/// The lines of a picture; each letter is one place wide and two high.
fn drawn(picture: &LessonPicture, width: usize, ink: Ink) -> Vec<String> {
    let [height, full] = picture.size.map(|side| side.max(1));
    let rows = (width * height / full).div_ceil(2).max(1);
    let at = |row: usize, column: usize| mean(picture, [row, column], [2 * rows, width]);
    let mut lines = Vec::new();
    for row in 0..rows {
        let mut line = String::new();
        for column in 0..width {
            let [upper, lower] = [2 * row, 2 * row + 1].map(|row| at(row, column));
            // Writing to a string does not fail.
            match ink {
                Ink::Shades => line.push(shade(upper, lower)),
                Ink::Colours => {
                    let [upper, lower] = [upper, lower].map(of_256);
                    write!(line, "\u{1b}[38;5;{upper};48;5;{lower}m\u{2580}").unwrap_or_default();
                }
                Ink::True => {
                    let ([a, b, c], [d, e, f]) = (upper, lower);
                    write!(line, "\u{1b}[38;2;{a};{b};{c};48;2;{d};{e};{f}m\u{2580}")
                        .unwrap_or_default();
                }
            }
        }
        if ink != Ink::Shades {
            line.push_str("\u{1b}[0m");
        }
        lines.push(line);
    }
    lines
}

/// The mean colour of a place, if the picture has `of` rows and columns of them.
fn mean(picture: &LessonPicture, place: [usize; 2], of: [usize; 2]) -> [u8; 3] {
    let [rows, columns] = [0, 1].map(|axis| {
        let side = picture.size[axis];
        let first = (place[axis] * side / of[axis]).min(side.saturating_sub(1));
        first..((place[axis] + 1) * side / of[axis]).clamp(first + 1, side.max(first + 1))
    });
    let mut sums = [0_usize; 3];
    let mut n = 0;
    for row in rows {
        for column in columns.clone() {
            let first = 3 * (row * picture.size[1] + column);
            for (sum, value) in sums.iter_mut().zip(picture.rgb.iter().skip(first)) {
                *sum += usize::from(*value);
            }
            n += 1;
        }
    }
    sums.map(|sum| u8::try_from(sum / n.max(1)).unwrap_or(u8::MAX))
}

fn shade(upper: [u8; 3], lower: [u8; 3]) -> char {
    let sum: usize = upper.iter().chain(&lower).map(|x| usize::from(*x)).sum();
    char::from(SHADES[sum * (SHADES.len() - 1) / (6 * 255)])
}

/// The nearest of a cube of 216 colours, or of 24 greys.
fn of_256([r, g, b]: [u8; 3]) -> usize {
    let [red, green, blue] = [r, g, b].map(usize::from);
    let is_grey = r.abs_diff(g) < 12 && g.abs_diff(b) < 12 && r.abs_diff(b) < 12;
    if is_grey {
        let grey = (red + green + blue) / 3;
        return match grey {
            0..4 => 16,
            247.. => 231,
            grey => 232 + (grey.saturating_sub(3) / 10).min(23),
        };
    }
    // The cube's steps are 0, 95, 135, 175, 215 and 255.
    let step = |x: usize| {
        if x < 48 {
            0
        } else {
            (x.saturating_sub(35) / 40).clamp(1, 5)
        }
    };
    16 + 36 * step(red) + 6 * step(green) + step(blue)
}

/// A text in lines of so many letters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is one");
        let letters = last.chars().count() + 1 + word.chars().count();
        if last.is_empty() {
            last.push_str(word);
        } else if letters <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_drawn_in_lines_of_its_width() {
        let rgb = (0..8 * 16).flat_map(|at| [if at % 16 < 8 { 0 } else { 255 }; 3]);
        let picture = LessonPicture {
            caption: "half".to_owned(),
            size: [8, 16],
            rgb: rgb.collect(),
        };
        let lines = drawn(&picture, 4, Ink::Shades);
        assert_eq!(lines, ["  @@"], "two by four places");
        let lines = drawn(&picture, 4, Ink::Colours);
        assert_eq!(lines[0].matches('\u{2580}').count(), 4, "{lines:?}");
        assert!(lines[0].ends_with("\u{1b}[0m"), "{lines:?}");
        let large = drawn(&picture, 40, Ink::Shades);
        assert!(large.iter().all(|line| line.len() == 40), "{large:?}");
    }

    #[test]
    fn colours_are_the_nearest() {
        assert_eq!([[0; 3], [255; 3], [128; 3]].map(of_256), [16, 231, 244]);
        assert_eq!([[255, 0, 0], [0, 95, 135]].map(of_256), [196, 16 + 6 + 2]);
    }

    #[test]
    fn captions_are_broken_at_spaces() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
    }
}
