//! The file of `--token-file`.
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::settings::Secret;

/// A longer file holds no token: a path to something endless is one by mistake.
const LONGEST: u64 = 64 * 1024;
/// How long the file may take. A shell gives the output of a password manager as a pipe (`--token-file <(…)`), so pipes are read;
/// whoever writes to it may be asked for a password first.
const PATIENCE: Duration = Duration::from_secs(30);
/// What editors put before UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Why there is no token. Displays as what follows the option's name, and shows neither the path, which may be the token in the
/// wrong place, nor anything of the file.
#[derive(Debug)]
pub(super) enum Problem {
    /// It cannot be read: what the system said.
    Unreadable(io::Error),
    /// It has not come to its end within this time.
    Late(Duration),
    /// It is longer than [`LONGEST`].
    TooLong,
    /// It holds nothing.
    Empty,
    /// It holds what no token is: another coding, or several lines.
    NoToken,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => {
                write!(
                    f,
                    "names a file that cannot be read ({why}); name one that holds admin.token"
                )
            }
            Self::Late(patience) => write!(
                f,
                "names what has not come to its end within {} s; name a file, or a pipe that is written to and closed",
                patience.as_secs_f64()
            ),
            Self::TooLong => f.write_str(
                "names a file of more than 64 KiB, which no token has; name one that holds admin.token alone",
            ),
            Self::Empty => f.write_str("names a file that is empty; name one that holds admin.token"),
            Self::NoToken => f.write_str(
                "names a file that holds no token; give the value of admin.token alone, in one line of UTF-8",
            ),
        }
    }
}

/// Reads it. It takes [`PATIENCE`] at most.
pub(super) fn read(path: PathBuf) -> Result<Secret, Problem> {
    read_within(PATIENCE, path)
}

/// A pipe that nobody writes to, a terminal and a disk that hangs never answer, and a read of them cannot be ended; the end of
/// the process leaves it behind.
fn read_within(patience: Duration, path: PathBuf) -> Result<Secret, Problem> {
    let (tell, told) = mpsc::channel();
    let reading = move || {
        // An error: it comes too late.
        let _ = tell.send(bytes(&path));
    };
    thread::Builder::new()
        .spawn(reading)
        .map_err(Problem::Unreadable)?;
    let bytes = told.recv_timeout(patience).map_err(|_| Problem::Late(patience))?;
    token(bytes.map_err(Problem::Unreadable)?)
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One more byte tells a file that is too long.
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn token(bytes: Vec<u8>) -> Result<Secret, Problem> {
    if bytes.len() as u64 > LONGEST {
        return Err(Problem::TooLong);
    }
    let text = String::from_utf8(bytes).map_err(|_| Problem::NoToken)?;
    let token = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text).trim();
    if token.is_empty() {
        return Err(Problem::Empty);
    }
    // No header field can carry a line's end.
    if token.contains(char::is_control) {
        return Err(Problem::NoToken);
    }
    Ok(Secret::new(token))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// The token, or what follows the option's name.
    fn said(read: Result<Secret, Problem>) -> Result<String, String> {
        let token = read.map(|token| token.reveal().to_owned());
        token.map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_token_is_one_line_of_utf_8() {
        for (bytes, expected) in [
            (&b"sesame"[..], Ok("sesame")),
            (b" sesame \r\n", Ok("sesame")),
            (b"\xef\xbb\xbfsesame\n", Ok("sesame")),
            (b"", Err("is empty")),
            (b"\xef\xbb\xbf \n", Err("is empty")),
            (b"s3cret\ns3cret", Err("holds no token")),
            (b"s3cret\xff", Err("holds no token")),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("s3cret");
            fs::write(&path, bytes).unwrap();
            match (said(read(path)), expected) {
                (Ok(token), Ok(expected)) => assert_eq!(token, expected),
                (Err(line), Err(expected)) => {
                    assert!(line.contains(expected) && !line.contains("s3cret"), "{line}");
                }
                (read, expected) => panic!("{read:?} is not {expected:?}"),
            }
        }
    }

    #[test]
    fn a_file_is_read_to_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let longest = usize::try_from(LONGEST).unwrap();
        fs::write(&path, "a".repeat(longest)).unwrap();
        assert_eq!(said(read(path.clone())).unwrap().len(), longest);
        fs::write(&path, "a".repeat(longest + 1)).unwrap();
        assert!(said(read(path)).unwrap_err().contains("more than 64 KiB"));
        assert!(
            said(read(folder.path().join("s3cret")))
                .unwrap_err()
                .starts_with("names a file that cannot be read (No such")
        );
        assert!(
            said(read(folder.path().to_owned()))
                .unwrap_err()
                .contains("cannot be read (Is a directory")
        );
    }

    #[test]
    fn a_pipe_is_read_where_somebody_writes_and_waited_for_no_longer_where_nobody_does() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let patience = Duration::from_millis(20);
        let late = said(read_within(patience, pipe.clone())).unwrap_err();
        assert!(late.contains("has not come to its end within 0.02 s"), "{late}");
        fs::remove_file(&pipe).unwrap();
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let writer = {
            let pipe = pipe.clone();
            thread::spawn(move || fs::write(pipe, "sesame\n"))
        };
        assert_eq!(said(read(pipe)), Ok("sesame".to_owned()));
        writer.join().unwrap().unwrap();
    }
}
