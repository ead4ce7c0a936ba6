use std::fs;
use std::path::Path;

use tempfile::TempDir;
use test_support::certificates::{Authority, Issued};

use super::*;
use crate::upstream::RootCertificates;

/// A folder of files, and how they are configured.
struct Files {
    folder: TempDir,
    files: TlsFiles,
}

impl Files {
    /// Of an authority and a client's certificate, which belong together.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let files = TlsFiles {
            // Not the system's, of which a machine may have none.
            roots: RootCertificates {
                file: Some(path("roots.pem")),
                directories: Vec::new(),
            },
            ca_file: Some(path("ca.pem")),
            client: Some(ClientCertificateFiles {
                certificate: path("client.pem"),
                key: path("client.key"),
            }),
        };
        let files = Self { folder, files };
        let authority = Authority::new("Corporate");
        let Issued { certificate, key, .. } = authority.issue("edge.test");
        files.write("roots.pem", Authority::new("Public").pem());
        files.write("ca.pem", authority.pem());
        files.write("client.pem", certificate);
        files.write("client.key", key);
        files
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// The problem with this in place of one file.
    fn problem(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let before = fs::read(self.path(name)).unwrap();
        self.write(name, bytes);
        let problem = self.files.check().unwrap_err().to_string();
        self.write(name, before);
        assert!(
            !problem.contains(&self.folder.path().display().to_string()),
            "{problem}"
        );
        problem
    }
}

#[test]
fn files_that_cannot_be_used_are_named_with_what_is_wrong() {
    let files = Files::new();
    assert_eq!(files.files.check(), Ok(()));
    let certificate = fs::read_to_string(files.path("client.pem")).unwrap();
    let key = fs::read_to_string(files.path("client.key")).unwrap();
    let encrypted = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let torn = &certificate[..certificate.len() / 2];
    let no_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (name, option) in [
        ("ca.pem", "upstream.ca_file"),
        ("client.pem", "upstream.client_certificate"),
        ("client.key", "upstream.client_key"),
    ] {
        for (bytes, expected) in [
            ("", "names a file that is empty; "),
            (" \n", "names a file that is empty; "),
        ] {
            assert!(
                files
                    .problem(name, bytes)
                    .starts_with(&format!("{option} {expected}"))
            );
        }
        let large = files.problem(name, vec![b' '; 9 * 1024 * 1024]);
        assert!(large.contains("more than 8 MiB"), "{large}");
        assert!(files.problem(name, "no PEM").contains(" in PEM ("));
    }
    for (name, bytes, expected) in [
        (
            "ca.pem",
            &*key,
            "upstream.ca_file names a file that holds no certificate in PEM",
        ),
        (
            "ca.pem",
            torn,
            "upstream.ca_file names a file that is no right PEM (a section has no end)",
        ),
        (
            "ca.pem",
            no_der,
            "upstream.ca_file names a file that holds no certificate which can be used",
        ),
        (
            "client.pem",
            &key,
            "upstream.client_certificate names a file that holds no certificate in PEM",
        ),
        (
            "client.pem",
            no_der,
            "upstream.client_certificate begins with a certificate that cannot be used (",
        ),
        (
            "client.key",
            &certificate,
            "upstream.client_key names a file that holds no private key in PEM",
        ),
        (
            "client.key",
            &encrypted,
            "upstream.client_key names a file whose key is encrypted",
        ),
        (
            "client.key",
            &Authority::new("Other").issue("edge.test").key,
            "upstream.client_key is not the key of the first certificate in upstream.client_certificate",
        ),
        (
            "client.key",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "upstream.client_key holds a key that cannot be used (",
        ),
    ] {
        let problem = files.problem(name, bytes);
        assert!(problem.starts_with(expected), "{problem}");
    }
    fs::remove_file(files.path("client.key")).unwrap();
    let problem = files.files.check().unwrap_err();
    assert_eq!(problem.file, TlsFile::ClientKey);
    assert!(
        problem.to_string().contains("cannot be read (No such file"),
        "{problem}"
    );
}

#[test]
fn one_file_may_hold_both_certificate_and_key_and_text_beside_them() {
    let mut files = Files::new();
    let certificate = fs::read_to_string(files.path("client.pem")).unwrap();
    let key = fs::read_to_string(files.path("client.key")).unwrap();
    files.write(
        "both.pem",
        format!("Bag Attributes\n{key}subject=CN=x\n{certificate}"),
    );
    let both = files.path("both.pem");
    files.files.client = Some(ClientCertificateFiles {
        certificate: both.clone(),
        key: both,
    });
    assert_eq!(files.files.check(), Ok(()));
}

#[test]
fn keys_are_taken_in_all_three_forms() {
    let mut files = Files::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for (certificate, key) in [
        ("rsa.pem", "rsa.pkcs1.key"),
        ("rsa.pem", "rsa.pkcs8.key"),
        ("ec.pem", "ec.sec1.key"),
    ] {
        files.files.client = Some(ClientCertificateFiles {
            certificate: fixtures.join(certificate),
            key: fixtures.join(key),
        });
        assert_eq!(files.files.check(), Ok(()), "{key}");
    }
}

#[test]
fn the_certificate_is_shown_to_upstream_and_to_no_proxy() {
    let gone = Files::new().files.clone();
    let made = Tls::new(gone).make().err();
    assert!(
        matches!(made, Some(Fault::TlsFile(_))),
        "the folder is gone: {made:?}"
    );
    let files = Files::new();
    let made = Tls::new(files.files.clone()).make().unwrap();
    assert!(made.upstream.client_auth_cert_resolver.has_certs());
    assert!(!made.proxy.client_auth_cert_resolver.has_certs());
}

/// Looks at the files so long after now.
fn look_after(tls: &Tls, wait: Duration) {
    tls.inner.look_at(Instant::now() + wait, SystemTime::now() + wait);
}

#[test]
fn what_served_is_kept_until_all_files_can_be_used_again() {
    let files = Files::new();
    let tls = Tls::new(files.files.clone());
    let first = tls.make().unwrap();
    let is_as = |one: &Configurations| Arc::ptr_eq(&tls.make().unwrap().upstream, &one.upstream);
    let told = || tls.inner.made().as_ref().unwrap().told.clone();
    look_after(&tls, UNUSABLE);
    assert!(is_as(&first), "nothing has changed");

    let next = Authority::new("Corporate II").issue("edge.test");
    files.write("client.pem", &next.certificate);
    look_after(&tls, SETTLED);
    assert!(is_as(&first), "the key is still the other's");
    assert_eq!(told(), None, "it may follow");
    look_after(&tls, UNUSABLE);
    assert!(told().unwrap().starts_with("upstream.client_key is not the key"));
    fs::remove_file(files.path("roots.pem")).unwrap();
    files.write("client.key", &next.key);
    look_after(&tls, SETTLED);
    assert!(is_as(&first), "the public roots are gone");
    files.write("roots.pem", Authority::new("Public").pem());
    look_after(&tls, SETTLED);
    assert!(!is_as(&first));
    assert_eq!(told(), None);
}

#[test]
fn files_that_are_written_in_place_are_used_whole_and_told_of_in_no_part() {
    let files = Files::new();
    let tls = Tls::new(files.files.clone());
    let first = tls.make().unwrap();
    let next = Authority::new("Corporate II").issue("edge.test");
    let intermediate = Authority::new("Between").pem();
    let (begin, rest) = intermediate.split_at(intermediate.len() / 2);
    let (mut written, now) = (String::new(), (Instant::now(), SystemTime::now()));
    // A part now and then, the key before its certificate's chain. Where a file system's clock ticks, a file seems written before.
    files.write("client.key", &next.key);
    for (part, wait) in [(next.certificate.as_str(), 0), (begin, 400), (rest, 800)] {
        written.push_str(part);
        files.write("client.pem", &written);
        let wait = Duration::from_millis(wait);
        tls.inner.look_at(now.0 + wait, now.1 + wait);
        assert!(Arc::ptr_eq(&tls.make().unwrap().upstream, &first.upstream));
    }
    assert_eq!(tls.inner.made().as_ref().unwrap().told, None);
    look_after(&tls, 2 * SETTLED);
    let made = tls.make().unwrap();
    assert!(!Arc::ptr_eq(&made.upstream, &first.upstream));
}

#[test]
fn what_was_written_while_nobody_looked_is_used_at_once() {
    let files = Files::new();
    let tls = Tls::new(files.files.clone());
    let first = tls.make().unwrap();
    files.write("ca.pem", Authority::new("Corporate II").pem());
    // By the clock alone: nobody has seen them before.
    tls.inner.look_at(Instant::now(), SystemTime::now() + SETTLED);
    assert!(!Arc::ptr_eq(&tls.make().unwrap().upstream, &first.upstream));

    // What has gone, or has a time to come, has to be seen for as long.
    let second = tls.make().unwrap();
    let now = Instant::now();
    fs::remove_file(files.path("client.key")).unwrap();
    let told = || tls.inner.made().as_ref().unwrap().told.clone();
    tls.inner.look_at(now, SystemTime::now() + 2 * UNUSABLE);
    assert_eq!(told(), None);
    tls.inner.look_at(now + UNUSABLE, SystemTime::UNIX_EPOCH);
    assert!(told().is_some());
    assert!(Arc::ptr_eq(&tls.make().unwrap().upstream, &second.upstream));
}

#[actix_rt::test]
async fn files_are_looked_at_once_a_second_by_one() {
    let files = Files::new();
    let tls = Tls::new(files.files.clone());
    assert!(Looking::begin(&tls.inner).is_none(), "they are read first");
    let first = tls.current().await.unwrap();
    assert!(Looking::begin(&tls.inner).is_none(), "they have just been read");
    let age = || tls.inner.made().as_mut().unwrap().looked -= LOOK_PERIOD;
    age();
    let looking = Looking::begin(&tls.inner).unwrap();
    age();
    assert!(Looking::begin(&tls.inner).is_none(), "somebody looks");
    drop(looking);
    files.write("ca.pem", Authority::new("Corporate II").pem());
    let second = tls.current().await.unwrap();
    assert!(Arc::ptr_eq(&first.upstream, &second.upstream), "it may go on");
    assert!(tls.inner.made().as_ref().unwrap().change.is_some(), "it is seen");
}
