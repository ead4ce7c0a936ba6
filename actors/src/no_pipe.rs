//! Files that are read without waiting for anybody.
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// Opens a file to read it. A pipe in its place is refused: opening that would wait for its writer, for ever.
///
/// # Errors
/// Where it is a pipe, or cannot be opened.
pub fn open(path: &Path) -> io::Result<File> {
    if is_pipe(path) {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is a pipe, and no file",
        ));
    }
    File::open(path)
}

/// Whether there is a pipe.
pub fn is_pipe(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_pipe_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let [file, pipe] = ["file", "pipe"].map(|name| folder.path().join(name));
        fs::write(&file, "text").unwrap();
        let mut text = String::new();
        open(&file).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(open(&pipe).unwrap_err().to_string(), "it is a pipe, and no file");
        let missing = open(&folder.path().join("missing")).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }
}
