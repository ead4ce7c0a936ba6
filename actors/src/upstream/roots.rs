//! The root certificates that upstream's certificate must lead to.
use std::path::{Path, PathBuf};
use std::{env, fs};

use rustls::RootCertStore;
use rustls_native_certs::{CertificateResult, Error, ErrorKind, load_certs_from_paths, load_native_certs};

use super::malformed_pem;
use crate::in_line::in_line;
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
    /// own. Reads files; also gives the first problem with any of them and what to do, of which the rest is used all the same.
    pub(super) fn load(&self) -> (RootCertStore, Option<String>) {
        let mut roots = RootCertStore::empty();
        let pipe = self.pipe();
        let mut problem = pipe.map(|path| {
            unreadable(&format!(
                "{} is a pipe, which is not read",
                in_line(path.display())
            ))
        });
        let mut without = Vec::new();
        for (place, CertificateResult { certs, errors, .. }) in self.read() {
            let (added, _) = roots.add_parsable_certificates(certs);
            problem = problem.or_else(|| errors.first().map(|error| unreadable(&described(error))));
            without.extend(place.filter(|_| added == 0));
        }
        let is_told = |place: &Place<'_>| roots.is_empty() || !place.is_empty_directory();
        let problem = problem.or_else(|| {
            let told = without.into_iter().find(is_told)?;
            Some(told.without_certificates())
        });
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

    /// What each place holds; those that no variable names are `None`.
    fn read(&self) -> Vec<(Option<Place<'_>>, CertificateResult)> {
        if self.file.is_some() || !self.directories.is_empty() {
            let file = self.file.as_deref().filter(|_| self.pipe().is_none());
            let directories = self.directories.iter().map(|path| Place::Directory(path));
            let places = file.map(Place::File).into_iter().chain(directories);
            return places.map(|place| (Some(place), place.read())).collect();
        }
        let is_blank =
            |name| env::var_os(name).is_some_and(|value| value.to_string_lossy().trim().is_empty());
        if !VARIABLES.into_iter().any(is_blank) {
            return vec![(None, load_native_certs())];
        }
        // It would read the blank path and nothing else; compose files pass `SSL_CERT_FILE=${SSL_CERT_FILE}`.
        let (file, directories) = self.places();
        let directories = directories.iter().map(|path| Place::Directory(path));
        let places = file.as_deref().map(Place::File).into_iter().chain(directories);
        places.map(|place| (None, place.read())).collect()
    }
}

/// Where certificates are.
#[derive(Debug, Clone, Copy)]
enum Place<'p> {
    File(&'p Path),
    Directory(&'p Path),
}

impl Place<'_> {
    fn read(self) -> CertificateResult {
        match self {
            Self::File(path) => load_certs_from_paths(Some(path), None),
            Self::Directory(path) => load_certs_from_paths(None, Some(path)),
        }
    }

    /// Beside other certificates such a directory is no mistake: it is there to be filled.
    fn is_empty_directory(self) -> bool {
        match self {
            Self::File(_) => false,
            Self::Directory(path) => fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none()),
        }
    }

    /// That it has none that can be used, though it can be read: whatever upstream shows is not trusted then, which does not say
    /// why.
    fn without_certificates(self) -> String {
        match self {
            Self::File(path) => format!(
                "SSL_CERT_FILE names {}, which holds no certificate in PEM (-----BEGIN CERTIFICATE-----) that can be used; convert \
                 those of the authorities (openssl x509 -inform DER), or name another file",
                in_line(path.display())
            ),
            Self::Directory(path) => format!(
                "SSL_CERT_DIR names {}, whose files hold no certificate in PEM (-----BEGIN CERTIFICATE-----) that can be used; put \
                 those of the authorities there, converted (openssl x509 -inform DER), or name another directory",
                in_line(path.display())
            ),
        }
    }
}

/// Of something that cannot be read.
fn unreadable(problem: &str) -> String {
    format!("some root certificates cannot be read ({problem}); check SSL_CERT_FILE and SSL_CERT_DIR")
}

/// What is wrong, without a line of the file: one that is trusted by mistake may hold a private key.
fn described(error: &Error) -> String {
    match &error.kind {
        ErrorKind::Pem(malformed) => format!("{}: {}", error.context, malformed_pem(malformed)),
        ErrorKind::Io { inner, path } => {
            format!("{}: {inner} at {}", error.context, in_line(path.display()))
        }
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

    #[test]
    fn a_place_without_certificates_is_told_of() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let unusable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let folder = tempfile::tempdir().unwrap();
        let named = |name: &str| folder.path().join(name);
        fs::write(named("good.pem"), certificate.pem()).unwrap();
        let problem = |file: Option<&str>, directory: Option<&str>| {
            let roots = RootCertificates {
                file: file.map(named),
                directories: directory.map(named).into_iter().collect(),
            };
            roots.load().1.unwrap_or_default()
        };
        fs::create_dir(named("empty")).unwrap();
        for content in [
            &b""[..],
            b"\0\xff\n\x80 random",
            certificate.der(),
            key.serialize_pem().as_bytes(),
            unusable.as_bytes(),
        ] {
            fs::create_dir_all(named("directory")).unwrap();
            for name in ["file", "directory/file"] {
                fs::write(named(name), content).unwrap();
            }
            for (told, variable) in [
                (problem(Some("file"), None), "SSL_CERT_FILE names"),
                (problem(Some("file"), Some("empty")), "SSL_CERT_FILE names"),
                (problem(None, Some("directory")), "SSL_CERT_DIR names"),
                (problem(Some("good.pem"), Some("directory")), "SSL_CERT_DIR names"),
            ] {
                assert!(
                    told.starts_with(variable) && told.contains("no certificate"),
                    "{told}"
                );
                assert!(told.contains("; "), "it says what to do: {told}");
            }
        }
        assert!(problem(None, Some("empty")).contains("no certificate"));
        assert_eq!(problem(Some("good.pem"), Some("empty")), "");
        assert_eq!(problem(Some("good.pem"), None), "");
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
        for (_, CertificateResult { errors, .. }) in RootCertificates::default().read() {
            assert!(errors.is_empty(), "{errors:?}");
        }
    }
}
