//! Curves over epochs: loss, accuracy, learning rate, throughput; and the loss over learning rates.

use plotters::chart::ChartBuilder;
use plotters::element::{Circle, PathElement, Text};
use plotters::prelude::{DashedLineSeries, IntoLogRange as _, LineSeries};
use plotters::style::{Color as _, IntoFont as _, RGBColor, ShapeStyle, TextStyle};
use serde_json::json;

use super::{Anchor, count, pixels, text_style};
use crate::error::Result;
use crate::svg::{Area, BLUE, Drawn, FAINT, GREY, INK, Plot, RED, SANS};

const SIZE: [u32; 2] = [560, 340];
/// Room for the numbers of the vertical axis and what they are.
const LEFT: i32 = 70;
/// From a line of the legend to the next.
const LEGEND_LINE: usize = 18;
/// Points of a curve that a script gets.
const MOST_POINTS: usize = 1000;
/// Points are marked singly up to this many.
const MOST_DOTS: usize = 40;

/// A line of a plot.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) label: String,
    pub(crate) colour: RGBColor,
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) look: Look,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    Solid,
    Dashed,
    /// Thin and pale: what is averaged elsewhere.
    Faint,
}

/// Where the curves lie: left, top, right and bottom in pixels, and the values at the right and at the top. At the left and
/// at the bottom is 0.
struct Frame {
    places: [i32; 4],
    last: f64,
    top: f64,
}

/// An epoch with a name: a dashed line from top to bottom.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) at: f64,
    pub(crate) label: String,
    pub(crate) colour: RGBColor,
}

/// What a plot of curves shows.
#[derive(Clone, Debug)]
pub(crate) struct Curves {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    pub(crate) y: &'static str,
    pub(crate) series: Vec<Series>,
    /// Where the learning rate steps: epochs.
    pub(crate) marks: Vec<f64>,
    /// Epochs with a name.
    pub(crate) notes: Vec<Note>,
    /// The largest value that is shown, if the curves reach it.
    pub(crate) most: Option<f64>,
}

impl Curves {
    /// The plot, or `None` if there is no point.
    ///
    /// # Errors
    /// If it can't be drawn.
    pub(crate) fn plot(&self) -> Result<Option<Plot>> {
        let points = self.series.iter().flat_map(|series| &series.points);
        let finite: Vec<_> = points
            .copied()
            .filter(|(x, y)| x.is_finite() && y.is_finite())
            .collect();
        if finite.is_empty() {
            return Ok(None);
        }
        let mut frame = None;
        let plot = Plot::draw(self.name, &self.title, SIZE, |area| {
            frame = Some(self.paint(area, &finite)?);
            Ok(Vec::new())
        })?;
        Ok(Some(match frame {
            Some(frame) => plot.with_values(self.values(&frame)),
            None => plot,
        }))
    }

    /// The points of the curves, and where they lie.
    fn values(&self, frame: &Frame) -> String {
        let series = self.series.iter().map(|series| {
            let every = series.points.len().div_ceil(MOST_POINTS).max(1);
            let points = series.points.iter().filter(|(_, y)| y.is_finite());
            let points: Vec<_> = points.step_by(every).map(|&(x, y)| [x, y]).collect();
            let RGBColor(r, g, b) = series.colour;
            let label = match series.label.as_str() {
                "" if series.look == Look::Faint => "step",
                "" => self.y,
                label => label,
            };
            json!({ "label": label, "colour": format!("#{r:02x}{g:02x}{b:02x}"), "points": points })
        });
        let Frame { places, last, top } = frame;
        let series: Vec<_> = series.collect();
        json!({ "places": places, "last": last, "top": top, "series": series }).to_string()
    }

    fn paint(&self, area: &Area<'_>, points: &[(f64, f64)]) -> Drawn<Frame> {
        let xs = points.iter().map(|point| point.0);
        let last = xs.fold(1.0_f64, f64::max);
        let top = points.iter().map(|point| point.1).fold(0.0_f64, f64::max);
        let top = self.most.map_or(1.06 * top, |most| (1.06 * top).min(most));
        let top = if top > 0.0 { top } else { 1.0 };
        let legend = self.legend_rows();
        let above = u32::try_from(10 + LEGEND_LINE * legend.len())?;
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_top(above)
            .margin_right(18)
            .x_label_area_size(40)
            .y_label_area_size(LEFT)
            .build_cartesian_2d(0.0..last, 0.0..top)?;
        let ticks = axis_text();
        chart
            .configure_mesh()
            .x_labels(usize::try_from(pixels(last))?.clamp(1, 8) + 1)
            .y_labels(6)
            .x_desc("epoch")
            .y_desc(self.y)
            .axis_style(GREY)
            .bold_line_style(FAINT)
            .light_line_style(plotters::style::TRANSPARENT)
            .label_style(ticks.clone())
            .axis_desc_style(ticks)
            .x_label_formatter(&|x| whole(*x))
            .y_label_formatter(&|y| short(*y))
            .draw()?;
        for &mark in &self.marks {
            let line = [(mark, 0.0), (mark, top)];
            chart.draw_series(DashedLineSeries::new(line, 3, 4, GREY.stroke_width(1)))?;
        }
        for note in &self.notes {
            let line = [(note.at, 0.0), (note.at, top)];
            let style = note.colour.stroke_width(2);
            chart.draw_series(DashedLineSeries::new(line, 6, 3, style))?;
        }
        for series in &self.series {
            let style = series.style();
            let inside = |point: &(f64, f64)| point.0.is_finite() && point.1.is_finite();
            let points = series.points.iter().copied().filter(inside);
            let points = points.map(|(x, y)| (x, y.min(top)));
            if series.look == Look::Dashed {
                let line = DashedLineSeries::new(points.clone(), 6, 4, style);
                chart.draw_series(line)?;
            } else {
                chart.draw_series(LineSeries::new(points.clone(), style))?;
            }
            if series.look != Look::Faint && series.points.len() <= MOST_DOTS {
                let dots = points.map(|point| Circle::new(point, 3, series.colour.filled()));
                chart.draw_series(dots)?;
            }
        }
        self.legend(area, &legend)?;
        let (xs, ys) = chart.plotting_area().get_pixel_range();
        Ok(Frame {
            places: [xs.start, ys.start, xs.end, ys.end],
            last,
            top,
        })
    }

    /// Names the lines, above the plot.
    fn legend(&self, area: &Area<'_>, rows: &[Vec<(i32, Entry)>]) -> Drawn {
        let style = text_style(13.0, INK, Anchor::Start);
        for (row, y) in rows.iter().zip((14..).step_by(LEGEND_LINE)) {
            for (left, entry) in row {
                let line = |from, to| {
                    PathElement::new(vec![(from, y), (to, y)], entry.colour.stroke_width(3))
                };
                if entry.is_dashed {
                    area.draw(&line(*left, left + 8))?;
                    area.draw(&line(left + 14, left + 22))?;
                } else {
                    area.draw(&line(*left, left + 22))?;
                }
                area.draw(&Text::new(
                    entry.label.clone(),
                    (left + 28, y),
                    style.clone(),
                ))?;
            }
        }
        Ok(())
    }

    /// What is named, broken into rows, with the place of each.
    fn legend_rows(&self) -> Vec<Vec<(i32, Entry)>> {
        let mark = (!self.marks.is_empty()).then(|| Entry {
            label: "learning rate step".to_owned(),
            colour: GREY,
            is_dashed: true,
        });
        let notes = self.notes.iter().map(|note| Entry {
            label: note.label.clone(),
            colour: note.colour,
            is_dashed: true,
        });
        let named = self.series.iter().filter(|series| !series.label.is_empty());
        let entries = named.map(|series| Entry {
            label: series.label.clone(),
            colour: series.colour,
            is_dashed: series.look == Look::Dashed,
        });
        let mut rows: Vec<Vec<(i32, Entry)>> = Vec::new();
        let mut left = i32::MAX;
        for entry in entries.chain(mark).chain(notes) {
            let width = 48 + pixels(7.6 * count(entry.label.chars().count()));
            if left.saturating_add(width) > 552 {
                rows.push(Vec::new());
                left = LEFT;
            }
            if let Some(row) = rows.last_mut() {
                row.push((left, entry));
            }
            left += width;
        }
        rows
    }
}

/// A name in the legend.
struct Entry {
    label: String,
    colour: RGBColor,
    is_dashed: bool,
}

impl Series {
    fn style(&self) -> ShapeStyle {
        match self.look {
            Look::Faint => self.colour.mix(0.35).stroke_width(1),
            _ => self.colour.stroke_width(2),
        }
    }
}

fn axis_text() -> TextStyle<'static> {
    (SANS, 1.24 * 13.0).into_font().color(&INK)
}

/// An epoch; places between two have no name.
fn whole(value: f64) -> String {
    if (value - value.round()).abs() < 1e-6 {
        format!("{value:.0}")
    } else {
        String::new()
    }
}

/// A number as an axis has it: without trailing zeros.
fn short(value: f64) -> String {
    if value != 0.0 && (value.abs() < 1e-3 || value.abs() >= 1e6) {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// The loss that a learning-rate finder saw, over the learning rate (on a logarithmic axis). Nothing without two points.
///
/// # Errors
/// If it can't be drawn.
pub(crate) fn rate_finder(rates: &[(f64, f64)]) -> Result<Option<Plot>> {
    let rates: Vec<_> = rates
        .iter()
        .copied()
        .filter(|(rate, loss)| rate.is_finite() && loss.is_finite())
        .collect();
    let low = rates
        .iter()
        .map(|pair| pair.0)
        .fold(f64::INFINITY, f64::min);
    let high = rates.iter().map(|pair| pair.0).fold(0.0, f64::max);
    let (Some(&(_, first)), true) = (rates.first(), high > low) else {
        return Ok(None);
    };
    let &(best_rate, best) = rates
        .iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or(&rates[0]);
    // Past the minimum the loss grows without bounds; what counts lies below.
    let top = first.max(best) + 0.25 * (first - best).abs().max(0.1);
    let title = format!("Loss over learning rate; lowest at {best_rate:.2e}");
    let plot = Plot::draw("lr-finder", title, SIZE, |area| {
        let bottom = (best - 0.1 * (top - best)).max(0.0);
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_right(18)
            .x_label_area_size(40)
            .y_label_area_size(LEFT)
            .build_cartesian_2d((low..high).log_scale(), bottom..top)?;
        let ticks = axis_text();
        chart
            .configure_mesh()
            .x_labels(6)
            .y_labels(6)
            .x_desc("learning rate")
            .y_desc("loss")
            .axis_style(GREY)
            .bold_line_style(FAINT)
            .light_line_style(plotters::style::TRANSPARENT)
            .label_style(ticks.clone())
            .axis_desc_style(ticks)
            .x_label_formatter(&|x| format!("{x:.0e}"))
            .y_label_formatter(&|y| short(*y))
            .draw()?;
        let shown = rates
            .iter()
            .copied()
            .take_while(|(rate, loss)| *loss <= top || *rate <= best_rate);
        let line = shown.map(|(rate, loss)| (rate, loss.min(top)));
        chart.draw_series(LineSeries::new(line, BLUE.stroke_width(2)))?;
        chart.draw_series([Circle::new((best_rate, best), 5, RED.filled())])?;
        Ok(Vec::new())
    });
    plot.map(Some)
}
