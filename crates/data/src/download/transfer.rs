//! The transfer of a file: attempts that each go on where the last one ended.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::{Response, Uri, header};
use ureq::tls::TlsConfig;
use ureq::{Agent, Body};

use super::{Remote, md5_of};
use crate::error::DataError;
use crate::progress::{Progress, Stage};

/// How long a server may stay silent.
const SILENCE: Duration = Duration::from_secs(30);
/// Attempts that bring no new byte, after which the download is given up.
const FRUITLESS_ATTEMPTS: u32 = 3;
/// Attempts in all, however many bytes each one brings.
const ATTEMPTS: u32 = 50;

/// Fetches a file to `to`: see [`super::download`].
pub(super) fn fetch(
    agent: Agent,
    remote: &Remote<'_>,
    to: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), DataError> {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    let mut transfer = Transfer {
        agent,
        remote,
        part: PathBuf::from(name),
        progress,
    };
    let resumed = transfer.received()? > 0;
    let mut found = transfer.complete()?;
    if found != remote.md5 && resumed {
        // What an earlier run left was of another file: once more, from the start.
        transfer.discard()?;
        found = transfer.complete()?;
    }
    if found != remote.md5 {
        transfer.discard()?;
        let (url, expected) = (remote.url.to_owned(), remote.md5.to_owned());
        return Err(DataError::Checksum {
            url,
            expected,
            found,
        });
    }
    files::rename(&transfer.part, to).map_err(DataError::io(to, "create"))
}

/// A client for `url`, which must be https or lead to this machine.
pub(super) fn agent(url: &str) -> Result<Agent, DataError> {
    let unfit = || DataError::argument("url", "an https address", url);
    let uri: Uri = url.parse().or(Err(unfit()))?;
    let local = matches!(uri.host(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let secure = uri.scheme_str() == Some("https");
    if !(secure || local && uri.scheme_str() == Some("http")) {
        return Err(unfit());
    }
    let config = Agent::config_builder()
        .tls_config(tls())
        .http_status_as_error(false)
        // Also for redirections, so that none leads from https to http.
        .https_only(secure)
        .max_redirects(if secure { 5 } else { 0 })
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE));
    let config = if local { config.proxy(None) } else { config };
    Ok(config.build().new_agent())
}

/// rustls with Mozilla's certificates.
#[cfg(not(target_vendor = "apple"))]
fn tls() -> TlsConfig {
    TlsConfig::default()
}

/// The system's TLS with the system's certificates, as there is no other: see Cargo.toml.
#[cfg(target_vendor = "apple")]
fn tls() -> TlsConfig {
    TlsConfig::builder()
        .provider(ureq::tls::TlsProvider::NativeTls)
        .root_certs(ureq::tls::RootCerts::PlatformVerifier)
        .build()
}

/// Why an attempt ended early.
enum Failure {
    /// Trying again may help.
    Passing(String),
    /// Trying again won't.
    Final(String),
    /// The disk's, not the server's.
    Local(DataError),
}

impl From<ureq::Error> for Failure {
    fn from(error: ureq::Error) -> Self {
        Self::Passing(error.to_string())
    }
}

struct Transfer<'a> {
    agent: Agent,
    remote: &'a Remote<'a>,
    part: PathBuf,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

impl Transfer<'_> {
    /// Bytes that are on disk.
    fn received(&self) -> Result<u64, DataError> {
        match fs::metadata(&self.part) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(DataError::io(&self.part, "read")(error)),
        }
    }

    fn discard(&self) -> Result<(), DataError> {
        fs::remove_file(&self.part).map_err(DataError::io(&self.part, "remove"))
    }

    /// Attempts until the file is complete, and gives its MD5.
    fn complete(&mut self) -> Result<String, DataError> {
        let mut fruitless = 0;
        for attempt in 1.. {
            let before = self.received()?;
            let reason = match self.attempt(before) {
                Ok(()) => break,
                Err(Failure::Local(error)) => return Err(error),
                Err(Failure::Final(reason)) => return Err(self.failed(reason)?),
                Err(Failure::Passing(reason)) => reason,
            };
            fruitless = if self.received()? > before {
                0
            } else {
                fruitless + 1
            };
            if fruitless == FRUITLESS_ATTEMPTS || attempt == ATTEMPTS {
                return Err(self.failed(reason)?);
            }
            std::thread::sleep(Duration::from_millis(200) * (1 << (2 * fruitless)));
        }
        md5_of(&self.part)
    }

    fn failed(&self, reason: String) -> Result<DataError, DataError> {
        Ok(DataError::Download {
            url: self.remote.url.to_owned(),
            received: self.received()?,
            reason,
        })
    }

    /// Asks for what is missing behind the first `have` bytes, and writes it.
    fn attempt(&mut self, have: u64) -> Result<(), Failure> {
        let mut request = self.agent.get(self.remote.url);
        if have > 0 {
            request = request.header(header::RANGE, format!("bytes={have}-"));
        }
        let response = request.call()?;
        let have = match response.status().as_u16() {
            200 => 0,
            206 if continues_at(&response, have) => have,
            // Nothing behind what there is: the file may be complete, which its checksum will tell.
            416 if have > 0 => return Ok(()),
            206 => {
                self.discard().map_err(Failure::Local)?;
                return Err(Failure::Passing(
                    "the server answered with another part of the file".to_owned(),
                ));
            }
            status @ (408 | 429 | 500..) => {
                return Err(Failure::Passing(format!("the server answered {status}")));
            }
            status => return Err(Failure::Final(format!("the server answered {status}"))),
        };
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.part);
        let file = file.and_then(|file| file.set_len(have).map(|()| file));
        let file = file.map_err(|e| Failure::Local(DataError::io(&self.part, "write")(e)))?;
        self.receive(response.into_body(), file, have)
    }

    /// Appends a body to the first `have` bytes.
    fn receive(&mut self, body: Body, mut file: File, have: u64) -> Result<(), Failure> {
        let total = body.content_length().map(|rest| rest.saturating_add(have));
        let max = self.remote.max_bytes;
        let too_long = || {
            Failure::Final(format!(
                "the file is longer than the {max} bytes that were expected at most"
            ))
        };
        if total.is_some_and(|total| total > max) {
            return Err(too_long());
        }
        let write_error = |error| Failure::Local(DataError::io(&self.part, "write")(error));
        let mut body = body.into_with_config().limit(u64::MAX).reader();
        let mut done = have;
        let mut buffer = vec![0; 64 << 10];
        loop {
            (self.progress)(Progress {
                stage: Stage::Download,
                what: self.remote.url,
                done,
                total,
            });
            let n = body
                .read(&mut buffer)
                .map_err(|e| Failure::Passing(e.to_string()))?;
            if n == 0 {
                break;
            }
            done += n as u64;
            if done > max {
                return Err(too_long());
            }
            file.write_all(&buffer[..n]).map_err(write_error)?;
        }
        file.sync_all().map_err(write_error)?;
        match total {
            Some(total) if done < total => Err(Failure::Passing(format!(
                "the transfer ended at byte {done} of {total}"
            ))),
            _ => Ok(()),
        }
    }
}

/// Whether a partial answer begins where the file on disk ends.
fn continues_at(response: &Response<Body>, have: u64) -> bool {
    let range = response
        .headers()
        .get(header::CONTENT_RANGE)
        .and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {have}-")))
}
