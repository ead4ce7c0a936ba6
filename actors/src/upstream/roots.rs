//! The root certificates that upstream's certificate must lead to.
use std::env;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls_native_certs::{CertificateResult, Error, ErrorKind, load_certs_from_paths, load_native_certs};

use super::malformed_pem;
use crate::no_pipe;

/// What OpenSSL and everything after it calls these files; read here only to see that they are set and blank.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Where root certificates are read from: PEM files, instead of the system's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RootCertificates {
    /// `SSL_CERT_FILE`.
    pub file: Option<PathBuf>,
    /// `SSL_CERT_DIR`: every file in each of them.
    pub directories: Vec<PathBuf>,
}

impl RootCertificates {
    /// The certificates of these files, else the system's, else Mozilla's as compiled in: slim images have none of their
    /// own. Reads files; also gives the first problem with any of them, of which the rest is used all the same.
    pub(super) fn load(&self) -> (RootCertStore, Option<String>) {
        let mut roots = RootCertStore::empty();
        let mut problem = self
            .pipe()
            .map(|path| format!("{} is a pipe, which is not read", path.display()));
        for CertificateResult { certs, errors, .. } in self.read() {
            roots.add_parsable_certificates(certs);
            problem = problem.or_else(|| errors.first().map(described));
        }
        if roots.is_empty() {
            log::info!("no root certificates are found: Mozilla's, as compiled in, are used");
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        (roots, problem)
    }

    /// The files and folders that are read, whether they exist or not.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let (file, directories) = self.places();
        file.into_iter().chain(directories).collect()
    }

    /// `SSL_CERT_FILE` where it is a pipe: opening it would wait for its writer, for ever.
    fn pipe(&self) -> Option<&Path> {
        self.file.as_deref().filter(|path| no_pipe::is_pipe(path))
    }

    fn places(&self) -> (Option<PathBuf>, Vec<PathBuf>) {
        if self.file.is_some() || !self.directories.is_empty() {
            return (self.file.clone(), self.directories.clone());
        }
        let system = openssl_probe::probe();
        (system.cert_file, system.cert_dir)
    }

    fn read(&self) -> Vec<CertificateResult> {
        if self.file.is_some() || !self.directories.is_empty() {
            let file = self.file.as_deref().filter(|_| self.pipe().is_none());
            return read(file, &self.directories);
        }
        let is_blank =
            |name| env::var_os(name).is_some_and(|value| value.to_string_lossy().trim().is_empty());
        if !VARIABLES.into_iter().any(is_blank) {
            return vec![load_native_certs()];
        }
        // It would read the blank path and nothing else; compose files pass `SSL_CERT_FILE=${SSL_CERT_FILE}`.
        let (file, directories) = self.places();
        read(file.as_deref(), &directories)
    }
}

fn read(file: Option<&Path>, directories: &[PathBuf]) -> Vec<CertificateResult> {
    let file = file.map(|file| load_certs_from_paths(Some(file), None));
    let directories = directories
        .iter()
        .map(|directory| load_certs_from_paths(None, Some(directory)));
    file.into_iter().chain(directories).collect()
}

/// What is wrong, without a line of the file: one that is trusted by mistake may hold a private key.
fn described(error: &Error) -> String {
    match &error.kind {
        ErrorKind::Pem(malformed) => format!("{}: {}", error.context, malformed_pem(malformed)),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use test_support::pem::{assert_holds_nothing_of, broken};

    use super::*;

    #[test]
    fn a_problem_holds_nothing_of_the_file() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let key = key.serialize_pem();
        let file = tempfile::NamedTempFile::new().unwrap();
        let roots = RootCertificates {
            file: Some(file.path().to_owned()),
            directories: Vec::new(),
        };
        let mut problems = 0;
        for content in broken(&certificate, &key) {
            std::fs::write(file.path(), &content).unwrap();
            if let Some(problem) = roots.load().1 {
                problems += 1;
                assert_holds_nothing_of(&problem, &key);
            }
        }
        assert!(problems > 10, "{problems}");
    }

    /// The variables are the process's, hence another process.
    #[test]
    fn blank_variables_are_as_none() {
        let run = Command::new(env::current_exe().unwrap())
            .args(["--exact", "upstream::roots::tests::nothing_is_wrong", "--ignored"])
            .env("SSL_CERT_FILE", "")
            .env("SSL_CERT_DIR", " ")
            .output()
            .unwrap();
        let output = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && output.contains("1 passed"), "{output}");
    }

    #[test]
    #[ignore = "run by blank_variables_are_as_none"]
    fn nothing_is_wrong() {
        for CertificateResult { errors, .. } in RootCertificates::default().read() {
            assert!(errors.is_empty(), "{errors:?}");
        }
    }
}
