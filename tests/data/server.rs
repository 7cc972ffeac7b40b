//! A server of one file on 127.0.0.1, with the faults that servers have.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How a server answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Manner {
    /// As it should.
    Good,
    /// Sends at most this many bytes of a body, then hangs up.
    HangsUpAfter(usize),
    /// Sends everything, whatever part was asked for.
    IgnoresRanges,
    /// Gives no length, and sends zeroes for as long as they are taken.
    Endless,
    /// Answers with this status and nothing else.
    Status(u16),
    /// Sends another part than was asked for.
    WrongPart,
    /// Sends the client elsewhere.
    Redirects,
}

pub(crate) struct Server {
    pub(crate) url: String,
    /// The `Range` of each request, or nothing.
    pub(crate) ranges: Arc<Mutex<Vec<Option<String>>>>,
}

impl Server {
    /// Starts a server whose thread ends with the tests' process.
    pub(crate) fn start(file: Vec<u8>, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file.tar.gz", listener.local_addr().unwrap());
        let ranges = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&ranges);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let range = read_range(&stream);
                seen.lock().unwrap().push(range.clone());
                // A client that hangs up early is what some tests are about.
                drop(answer(stream, &file, manner, range));
            }
        });
        Self { url, ranges }
    }

    pub(crate) fn requests(&self) -> Vec<Option<String>> {
        self.ranges.lock().unwrap().clone()
    }
}

fn read_range(stream: &TcpStream) -> Option<String> {
    let lines = BufReader::new(stream)
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty());
    let mut range = None;
    for line in lines {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            range = Some(value.to_owned());
        }
    }
    range
}

fn answer(
    mut stream: TcpStream,
    file: &[u8],
    manner: Manner,
    range: Option<String>,
) -> std::io::Result<()> {
    let from = range
        .and_then(|range| range.trim_end_matches('-').parse().ok())
        .filter(|_| manner != Manner::IgnoresRanges);
    let (length, close) = (file.len(), "Connection: close\r\n\r\n");
    match (manner, from) {
        (Manner::Status(status), _) => {
            return write!(
                stream,
                "HTTP/1.1 {status} No\r\nContent-Length: 0\r\n{close}"
            );
        }
        (Manner::Redirects, _) => {
            return write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: http://example.invalid/\r\nContent-Length: 0\r\n{close}"
            );
        }
        (Manner::Endless, _) => {
            write!(stream, "HTTP/1.1 200 OK\r\n{close}")?;
            loop {
                stream.write_all(&[0; 4096])?;
            }
        }
        (_, Some(from)) if from >= length => {
            return write!(
                stream,
                "HTTP/1.1 416 No\r\nContent-Range: bytes */{length}\r\nContent-Length: 0\r\n{close}"
            );
        }
        (Manner::WrongPart, Some(_)) => {
            write!(
                stream,
                "HTTP/1.1 206 OK\r\nContent-Range: bytes 1-2/{length}\r\nContent-Length: 2\r\n{close}"
            )?;
            return stream.write_all(&file[1..3]);
        }
        (_, Some(from)) => {
            let (rest, last) = (length - from, length - 1);
            write!(
                stream,
                "HTTP/1.1 206 OK\r\nContent-Range: bytes {from}-{last}/{length}\r\nContent-Length: {rest}\r\n{close}"
            )?;
        }
        (_, None) => write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{close}"
        )?,
    }
    let body = &file[from.unwrap_or(0)..];
    let sent = if let Manner::HangsUpAfter(n) = manner {
        body.len().min(n)
    } else {
        body.len()
    };
    stream.write_all(&body[..sent])
}
