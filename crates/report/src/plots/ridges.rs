//! Histograms of a parameter over the epochs, as TensorBoard has them: a ridge for each, the newest in front.

use std::fmt::Write as _;

use train::HistogramRow;

/// Ridges of a drawing.
const MOST_RIDGES: usize = 8;
/// Pixels: of the drawing, and between what.
const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 150.0;
const LEFT: f64 = 6.0;
const RIGHT: f64 = 196.0;
const FIRST: f64 = 52.0;
const LAST: f64 = 126.0;
/// How high a ridge is at most.
const RIDGE: f64 = 40.0;

/// The SVG of a parameter's histograms, in the order of the epochs.
pub(crate) fn ridges(rows: &[&HistogramRow]) -> String {
    let every = rows.len().div_ceil(MOST_RIDGES).max(1);
    // The last one is shown whatever the step.
    let mut shown: Vec<_> = rows.iter().rev().step_by(every).collect();
    shown.reverse();
    let low = shown
        .iter()
        .fold(f64::INFINITY, |low, row| low.min(row.min));
    let high = shown
        .iter()
        .fold(f64::NEG_INFINITY, |high, row| high.max(row.max));
    let range = (high - low).max(f64::MIN_POSITIVE);
    let place = |value: f64| LEFT + (value - low) / range * (RIGHT - LEFT);
    let gap = (LAST - FIRST) / super::count(shown.len().saturating_sub(1).max(1));
    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" xmlns=\"http://www.w3.org/2000/svg\">"
    );
    for (at, row) in shown.iter().enumerate() {
        let is_last = at + 1 == shown.len();
        let base = if is_last {
            LAST
        } else {
            FIRST + gap * super::count(at)
        };
        let points = points(row, place, base);
        let (opacity, width) = if is_last { (0.5, 1.5) } else { (0.15, 0.8) };
        // Writing to a string does not fail.
        write!(
            svg,
            "<polygon points=\"{points}\" fill=\"#3B82F6\" fill-opacity=\"{opacity}\" stroke=\"#3B82F6\" stroke-width=\"{width}\"/>"
        )
        .unwrap_or_default();
        if is_last || at == 0 {
            let right = RIGHT + 4.0;
            text(
                &mut svg,
                [right, base],
                "start",
                &format!("ep. {}", row.epoch),
            );
        }
    }
    text(&mut svg, [LEFT, HEIGHT - 8.0], "start", &short(low));
    text(&mut svg, [RIGHT, HEIGHT - 8.0], "end", &short(high));
    svg + "</svg>"
}

/// A ridge on its base, from its least value to its largest.
fn points(row: &HistogramRow, place: impl Fn(f64) -> f64, base: f64) -> String {
    let most = row.counts.iter().copied().max().unwrap_or(0).max(1);
    let bars = super::count(row.counts.len().max(1));
    let width = (row.max - row.min) / bars;
    let mut points = format!("{:.1},{base:.1}", place(row.min));
    for (at, count) in row.counts.iter().enumerate() {
        let middle = place(row.min + width * (super::count(at) + 0.5));
        let [count, most] =
            [*count, most].map(|n| super::count(usize::try_from(n).unwrap_or(usize::MAX)));
        let top = base - RIDGE * count / most;
        write!(points, " {middle:.1},{top:.1}").unwrap_or_default();
    }
    write!(points, " {:.1},{base:.1}", place(row.max)).unwrap_or_default();
    points
}

fn text(svg: &mut String, [x, y]: [f64; 2], anchor: &str, words: &str) {
    write!(
        svg,
        "<text x=\"{x}\" y=\"{y:.1}\" font-size=\"13\" text-anchor=\"{anchor}\" fill=\"#5B6472\">{words}</text>"
    )
    .unwrap_or_default();
}

/// A number in few letters.
fn short(value: f64) -> String {
    let size = value.abs();
    if size > 0.0 && !(1e-3..1e4).contains(&size) {
        format!("{value:.1e}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_epoch_is_in_front_and_there_are_few() {
        let row = |epoch| HistogramRow {
            epoch,
            step: 10 * epoch,
            parameter: "conv1.weight".to_owned(),
            is_gradient: false,
            min: -0.5,
            max: 0.5,
            counts: vec![1, 4, 2],
        };
        let rows: Vec<_> = (1..=100).map(row).collect();
        let svg = ridges(&rows.iter().collect::<Vec<_>>());
        let n = svg.matches("<polygon").count();
        assert!(n <= MOST_RIDGES && svg.contains(">ep. 100</text>"), "{svg}");
        assert!(svg.contains(">-0.500<") && svg.contains(">0.500<"), "{svg}");
        let one = ridges(&[&row(1)]);
        assert!(one.contains("<polygon") && !one.contains("NaN"), "{one}");
    }
}
