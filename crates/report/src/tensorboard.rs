//! TensorBoard's event files: scalars while a run goes on, histograms of the weights after each epoch, images at its end.
//!
//! A file is a series of records (TensorFlow's `TFRecord`): the length, its masked CRC-32C, the bytes, and theirs. The
//! bytes are `Event` messages of `tensorflow/core/util/event.proto` and `summary.proto`; the few fields that are used are
//! declared in `messages`.

mod messages;
mod record;

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::{Network, TensorFile};
use prost::Message as _;
use tensor::Device;
use train::{Event, Row, Step, Summary};

use self::messages::{
    Histogram, Image, SessionLog, Summary as Values, Value, event, session_log, value,
};
use crate::error::{Error, Result};
use crate::svg::Plot;

pub use record::records;

/// How often steps are written.
const STEP_EVERY: Duration = Duration::from_secs(2);
/// Bars of a histogram.
const N_BARS: usize = 48;

/// Writes a run's `events.out.tfevents.*` while it goes on. It is told of each [`Event`]; a failure to write is kept for
/// [`TensorBoard::finish`], because no run should be lost to it.
///
/// ```
/// use model::layers::{Dense, Flatten};
/// use train::{RunDir, Trainer};
///
/// let folder = tempfile::tempdir()?;
/// let run = folder.path().join("run");
/// let data = data::Shapes10::default().with_sizes(32, 16, 16).generate()?;
/// let trainer = Trainer::builder(data).layers("linear", vec![Flatten::new().into(), Dense::new(10).into()])?;
/// let mut trainer = trainer.epochs(2).build(&tensor::Device::cpu())?;
/// trainer.save_to(RunDir::create(&run, trainer.recipe())?)?;
/// let mut board = report::TensorBoard::new(&run);
/// trainer.run(&false.into(), &mut |event: train::Event<'_>| board.event(&event))?;
/// board.finish(&[])?;
/// assert!(std::fs::read_dir(&run)?.flatten().any(|it| it.path().to_string_lossy().contains("tfevents")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TensorBoard {
    folder: PathBuf,
    file: Option<File>,
    failure: Option<Error>,
    step: u64,
    last_step: Option<Instant>,
}

impl TensorBoard {
    /// Will write into the folder of a run, which need not exist yet.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            file: None,
            failure: None,
            step: 0,
            last_step: None,
        }
    }

    /// Takes in what happened.
    pub fn event(&mut self, event: &Event<'_>) {
        if self.failure.is_some() {
            return;
        }
        let written = match event {
            Event::Started(start) => {
                let done = start.epochs_done * start.steps_per_epoch as u64;
                self.start(done)
            }
            Event::Step(step) => self.on_step(step),
            Event::Epoch(row) => self.on_epoch(row),
            Event::Finished(summary) => self.on_finished(summary),
            _ => Ok(()),
        };
        self.failure = written.err();
    }

    /// Adds plots as images, and ends the file.
    ///
    /// # Errors
    /// The first failure since the beginning.
    pub fn finish(mut self, plots: &[Plot]) -> Result<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        for plot in plots {
            let png = plot.png()?;
            let value = Value::image(plot.name(), png);
            self.write(self.step, vec![value])?;
        }
        match &self.file {
            Some(file) => file.sync_all().map_err(Error::io(&self.folder, "write")),
            None => Ok(()),
        }
    }

    /// Begins a file. One that goes on where another stopped says so: readers then forget what that one had past the step.
    fn start(&mut self, steps_done: u64) -> Result<()> {
        let (file, path) = create(&self.folder)?;
        self.file = Some(file);
        self.step = steps_done;
        let version = event::What::FileVersion("brain.Event:2".to_owned());
        self.record(0, version).map_err(Error::io(&path, "write"))?;
        let log = SessionLog {
            status: session_log::START,
        };
        let step = if steps_done == 0 { 0 } else { steps_done + 1 };
        self.record(step, event::What::SessionLog(log))
            .map_err(Error::io(&path, "write"))
    }

    fn on_step(&mut self, step: &Step) -> Result<()> {
        self.step = step.step;
        if self.last_step.is_some_and(|at| at.elapsed() < STEP_EVERY) {
            return Ok(());
        }
        self.last_step = Some(Instant::now());
        self.write(
            step.step,
            vec![
                Value::scalar("step/loss", step.loss),
                Value::scalar("step/accuracy", step.accuracy),
                Value::scalar("step/learning_rate", step.learning_rate),
                Value::scalar("step/images_per_s", step.images_per_s),
            ],
        )
    }

    fn on_epoch(&mut self, row: &Row) -> Result<()> {
        let figures = [
            ("loss/train", Some(row.train_loss)),
            ("loss/validation", row.val_loss),
            ("accuracy/train", Some(row.train_accuracy)),
            ("accuracy/validation", row.val_accuracy),
            ("accuracy/validation_top5", row.val_top5),
            ("loss/test", row.test_loss),
            ("loss/penalty", row.penalty),
            ("accuracy/test", row.test_accuracy),
            ("f1/validation", row.val_macro_f1),
            ("f1/test", row.test_macro_f1),
            ("learning_rate", Some(row.lr)),
            ("speed/images_per_s", Some(row.images_per_s)),
            ("speed/data_wait_fraction", Some(row.data_wait_fraction)),
        ];
        let values = figures
            .into_iter()
            .filter_map(|(tag, value)| Some(Value::scalar(tag, value?)));
        self.write(row.step, values.collect())?;
        self.write(row.step, self.weights()?)
    }

    fn on_finished(&mut self, summary: &Summary) -> Result<()> {
        self.step = summary.steps;
        let figures = [
            ("test/loss", summary.test_loss),
            ("test/accuracy", summary.test_accuracy),
            ("test/top5", summary.test_top5),
            ("test/macro_f1", summary.test_macro_f1),
        ];
        let values = figures
            .into_iter()
            .filter_map(|(tag, value)| Some(Value::scalar(tag, value?)));
        self.write(summary.steps, values.collect())
    }

    /// A histogram of each parameter in the last checkpoint, which an epoch leaves before it tells.
    fn weights(&self) -> Result<Vec<Value>> {
        let path = self.folder.join("checkpoints").join("last");
        let path = path.join("model.safetensors");
        if !path.is_file() {
            return Ok(Vec::new());
        }
        // The header is checked before the weights are read.
        drop(TensorFile::open(&path)?);
        let network = Network::open(&path, &Device::cpu())?;
        let parameters = network.parameters().iter().map(|(name, tensor)| {
            let values = tensor.to_vec::<f32>().map_err(train::Error::from)?;
            Ok(Value::histogram(
                &format!("weights/{name}"),
                histogram(&values),
            ))
        });
        parameters.collect()
    }

    fn write(&mut self, step: u64, values: Vec<Value>) -> Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        self.record(step, event::What::Summary(Values { value: values }))
            .map_err(Error::io(&self.folder, "write events in"))
    }

    fn record(&mut self, step: u64, what: event::What) -> std::io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let event = messages::Event {
            wall_time: now().as_secs_f64(),
            step: i64::try_from(step).unwrap_or(i64::MAX),
            what: Some(what),
        };
        file.write_all(&record::framed(&event.encode_to_vec()))
    }
}

fn now() -> Duration {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or(Duration::ZERO)
}

/// A new file, named as TensorFlow does: readers take the files of a folder in the order of their names.
fn create(folder: &Path) -> Result<(File, PathBuf)> {
    let (seconds, process) = (now().as_secs(), std::process::id());
    let mut number = 0;
    loop {
        let name = format!("events.out.tfevents.{seconds:010}.{number:03}.alexnet.{process}");
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            opened => return Ok((opened.map_err(Error::io(&path, "create"))?, path)),
        }
    }
}

/// Bars of equal width from the least value to the largest.
fn histogram(values: &[f32]) -> Histogram {
    let finite = || {
        values
            .iter()
            .copied()
            .filter(|x| x.is_finite())
            .map(f64::from)
    };
    let n = finite().count();
    let min = finite().fold(f64::INFINITY, f64::min);
    let max = finite().fold(f64::NEG_INFINITY, f64::max);
    if n == 0 {
        return Histogram::default();
    }
    let bars = crate::plots::count(N_BARS);
    let width = ((max - min) / bars).max(f64::MIN_POSITIVE);
    let mut counts = vec![0.0; N_BARS];
    for x in finite() {
        let at = crate::plots::pixels(((x - min) / width).floor());
        let at = usize::try_from(at).unwrap_or(0).min(N_BARS - 1);
        counts[at] += 1.0;
    }
    let limits = (1..=N_BARS).map(|k| min + width * crate::plots::count(k));
    Histogram {
        min,
        max,
        num: crate::plots::count(n),
        sum: finite().sum(),
        sum_squares: finite().map(|x| x * x).sum(),
        bucket_limit: limits.collect(),
        bucket: counts,
    }
}

/// Width and height in a PNG's header.
fn png_size(png: &[u8]) -> (i32, i32) {
    let word = |at: usize| {
        let bytes = png.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, i32::from_be_bytes)
    };
    (word(16), word(20))
}

impl Value {
    fn scalar(tag: &str, value: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the message has an f32")]
        let value = value as f32;
        Self::new(tag, value::What::Simple(value))
    }

    fn histogram(tag: &str, histogram: Histogram) -> Self {
        Self::new(tag, value::What::Histogram(histogram))
    }

    fn image(tag: &str, png: Vec<u8>) -> Self {
        let (width, height) = png_size(&png);
        Self::new(
            tag,
            value::What::Image(Image {
                height,
                width,
                // Red, green, blue and opacity.
                colorspace: 4,
                encoded: png,
            }),
        )
    }

    fn new(tag: &str, what: value::What) -> Self {
        Self {
            tag: tag.to_owned(),
            what: Some(what),
        }
    }
}
