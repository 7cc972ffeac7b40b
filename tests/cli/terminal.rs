//! Terminals of 80x24 and 120x40: nothing is wrapped by the terminal or cut off, Ctrl-C is answered, the newest epoch is
//! there.

use std::io::{Read as _, Write as _};
use std::num::NonZeroU16;
use std::path::Path;
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Command, Pty};
use vt100::Parser;

const SIZES: [[u16; 2]; 2] = [[80, 24], [120, 40]];
/// Lines that have left the screen are looked at too.
const KEPT: usize = 1000;
/// Longer than any of these commands takes.
const MOST: Duration = Duration::from_secs(240);

/// A command at a terminal.
struct Session {
    child: Child,
    pty: Arc<Pty>,
    bytes: Receiver<Vec<u8>>,
    screen: Parser,
}

impl Session {
    fn begin(folder: &Path, args: &[&str], [columns, rows]: [u16; 2]) -> Self {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let command = Command::new(env!("CARGO_BIN_EXE_alexnet"))
            .args(args)
            .current_dir(folder)
            .env_remove("ALEXNET_DATA")
            .env("XDG_RUNTIME_DIR", std::env::temp_dir())
            .env("TERM", "xterm-256color");
        let child = command.spawn(pts).unwrap();
        let (sender, bytes) = channel();
        let pty = Arc::new(pty);
        let reader = Arc::clone(&pty);
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            // When the command has ended, reading fails.
            while let Ok(n @ 1..) = (&*reader).read(&mut chunk) {
                if sender.send(chunk[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            pty,
            bytes,
            screen: Parser::new(side(rows), side(columns), KEPT),
        }
    }

    /// Takes in what comes for a moment.
    fn listen(&mut self) {
        if let Ok(bytes) = self.bytes.recv_timeout(Duration::from_millis(50)) {
            self.screen.process(&bytes);
        }
    }

    fn until(&mut self, what: &str, is_there: impl Fn(&mut Self) -> bool) {
        let begun = Instant::now();
        while !is_there(self) {
            assert!(begun.elapsed() < MOST, "no {what} on\n{}", self.shown());
            self.listen();
        }
    }

    fn shown(&self) -> String {
        self.screen.screen().contents()
    }

    fn press(&mut self, key: &[u8]) {
        (&*self.pty).write_all(key).unwrap();
    }

    /// The exit code, once the command has ended and all of its output is there.
    fn end(&mut self) -> i32 {
        let begun = Instant::now();
        let status = loop {
            self.listen();
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < MOST, "no end on\n{}", self.shown());
        };
        while let Ok(bytes) = self.bytes.recv_timeout(Duration::from_millis(300)) {
            self.screen.process(&bytes);
        }
        status.code().unwrap()
    }

    /// All lines, those that have left the screen too. The terminal itself has wrapped none.
    fn lines(&mut self) -> Vec<String> {
        let (rows, columns) = self.screen.screen().size();
        let mut lines = Vec::new();
        self.screen.screen_mut().set_scrollback(KEPT);
        let mut above = self.screen.screen().scrollback();
        loop {
            self.screen.screen_mut().set_scrollback(above);
            let screen = self.screen.screen();
            let taken = if above == 0 { rows.get() } else { 1 };
            for row in 0..taken {
                let line = screen.rows(0, columns.get()).nth(row.into()).unwrap();
                // Bars fill their line, so that what comes next begins another.
                let is_bar = line.contains(['─', '━']);
                assert!(is_bar || !screen.row_wrapped(row), "wrapped: {line}");
                lines.push(line.trim_end().to_owned());
            }
            if above == 0 {
                break;
            }
            above -= 1;
        }
        lines
    }
}

fn side(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

fn train<'a>(folder: &'a str, epochs: &'a str) -> Vec<&'a str> {
    let mut args = vec!["train", "--device", "cpu", "--limit", "64"];
    args.extend(["--batch-size", "16", "--epochs", epochs]);
    args.extend(["--set", "schedule.kind=constant", "--out", folder]);
    args
}

fn has(lines: &[String], part: &str) {
    let is_there = lines.iter().any(|line| line.contains(part));
    assert!(is_there, "no '{part}' in\n{}", lines.join("\n"));
}

#[test]
fn a_run_is_trained_stopped_resumed_and_watched_without_a_wrapped_line() {
    for size in SIZES {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        let mut run = Session::begin(folder, &train("run", "500"), size);
        run.until("second epoch", |run| {
            let rows = std::fs::read_to_string(folder.join("run/metrics.csv"));
            run.listen();
            rows.is_ok_and(|rows| rows.lines().count() > 2)
        });
        // The newest epoch of a run that goes on.
        let mut watch = Session::begin(folder, &["watch", "run"], size);
        watch.until("epochs", |watch| watch.shown().contains("val loss"));
        watch.until("second epoch", |watch| watch.shown().contains("    2 "));
        for part in ["(q quits)", "running", "loss", "accuracy", "images/s"] {
            assert!(watch.shown().contains(part), "{part}:\n{}", watch.shown());
        }
        watch.press(b"q");
        assert_eq!(watch.end(), 0, "q ends it");
        run.press(b"\x03");
        assert_eq!(run.end(), 130, "Ctrl-C:\n{}", run.shown());
        let lines = run.lines();
        has_no_bar(&lines);
        has(&lines, "interrupted after step");
        has(&lines, "saved in run");
        let last = lines.iter().rfind(|line| !line.is_empty()).unwrap();
        assert_eq!(last, "  alexnet train --resume run", "the last line");

        let rows = std::fs::read_to_string(folder.join("run/metrics.csv")).unwrap();
        let epochs = rows.lines().count().to_string();
        let args = ["train", "--resume", "run", "--epochs", &epochs];
        let mut resumed = Session::begin(folder, &args, size);
        assert_eq!(resumed.end(), 0, "resumed:\n{}", resumed.shown());
        let lines = resumed.lines();
        for part in [
            "resuming after epoch",
            "test accuracy",
            "s in all: ",
            "next:",
        ] {
            has(&lines, part);
        }
        has(&lines, &format!(" {epochs:>5} "));
        has(&lines, "  alexnet predict run IMAGE...");
        let mut watch = Session::begin(folder, &["watch", "run"], size);
        let newest = format!("{epochs:>6} ");
        watch.until("newest epoch", |watch| watch.shown().contains(&newest));
        assert!(watch.shown().contains("(q quits)"), "{}", watch.shown());
        watch.press(b"q");
        assert_eq!(watch.end(), 0, "q ends it");
    }
}

fn has_no_bar(lines: &[String]) {
    let bar = lines
        .iter()
        .find(|line| line.contains(['\u{2500}', '\u{2501}', '\u{2578}']));
    assert_eq!(bar, None, "left over in\n{}", lines.join("\n"));
}

#[test]
fn lessons_and_tables_fit_and_ctrl_c_leaves_no_bar() {
    for size in SIZES {
        let root = tempfile::tempdir().unwrap();
        for args in [
            &["learn"][..],
            &["learn", "lrn", "--device", "cpu"],
            &["learn", "conv2d", "--device", "cpu"],
            &["kernels"],
            &["summary"],
            &["summary", "alexnet"],
        ] {
            let mut shown = Session::begin(root.path(), args, size);
            assert_eq!(shown.end(), 0, "{args:?}:\n{}", shown.shown());
            let lines = shown.lines();
            assert!(lines.len() > 8, "{args:?}");
            // The columns of a table stay columns.
            let total = lines.iter().filter(|line| line.starts_with("total "));
            let numbers = total.map(|line| line.split_whitespace().count());
            let expected = if args == ["summary", "alexnet"] {
                vec![4]
            } else {
                Vec::new()
            };
            assert_eq!(numbers.collect::<Vec<_>>(), expected, "{args:?}");
        }
        // Nothing is saved here, so that it ends at once; the bars go all the same.
        let args = [
            "learn", "relu", "--ablate", "--epochs", "500", "--device", "cpu",
        ];
        let mut run = Session::begin(root.path(), &args, size);
        run.until("a bar", |run| {
            run.listen();
            run.shown().contains("epoch 1/500")
        });
        run.press(b"\x03");
        assert_eq!(run.end(), 130, "Ctrl-C:\n{}", run.shown());
        let lines = run.lines();
        has_no_bar(&lines);
        has(&lines, "interrupted; nothing was written");
    }
}

#[test]
fn a_sweep_is_run_and_stopped_without_a_wrapped_line() {
    let sweep = "recipe = 'shapes10'\nbase = { epochs = 1, limit = 32, batch_size = 16 }\n[grid]\n\
                 'optimizer.learning_rate' = [1e-3, 1e-4]\n'optimizer.weight_decay' = [0.0]\n";
    for size in SIZES {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        let file = folder.join("sweep.toml");
        std::fs::write(&file, sweep).unwrap();
        let args = ["sweep", "sweep.toml", "--device", "cpu", "--out", "both"];
        let mut run = Session::begin(folder, &args, size);
        assert_eq!(run.end(), 0, "sweep:\n{}", run.shown());
        let lines = run.lines();
        has(&lines, "run 2/2: learning_rate=0.0001,weight_decay=0.0");
        has(&lines, "comparison.csv");
        let args = [
            "sweep",
            "sweep.toml",
            "--device",
            "cpu",
            "--set",
            "epochs=500",
            "--out",
            "long",
        ];
        let mut run = Session::begin(folder, &args, size);
        run.until("first epoch", |run| {
            run.listen();
            run.shown().contains("*     1 ")
        });
        run.press(b"\x03");
        assert_eq!(run.end(), 130, "Ctrl-C:\n{}", run.shown());
        let lines = run.lines();
        has(&lines, "saved in long");
        let again = "  alexnet sweep sweep.toml --resume long --set epochs=500";
        has(&lines, again);
    }
}
