//! The renewal: another certificate and key are served once the files hold them.
//!
//! The content is compared, not times or names: a mounted Kubernetes secret is a symbolic link that comes to lead
//! elsewhere. Two files cannot be replaced at one moment, and one that is written in place has a part of its chain for a
//! while, so what is new counts once a second look finds the same.
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actors::threads::Threads;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::fault::TlsError;
use super::files::{Pair, PairFiles};
use super::served::{CertificateState, ServedCertificate};
use crate::settings::TlsSettings;

/// So many looks have to find the same before it is served.
const SETTLED_LOOKS: u32 = 2;
/// Files that cannot be served are told of once they have stayed the same for so long: who writes two files takes a moment.
const UNUSABLE: Duration = Duration::from_secs(5);

/// What follows the files of a certificate, before it is started.
#[derive(Debug)]
pub(crate) struct Renewal {
    settings: TlsSettings,
    looks: Looks,
    served: Arc<ServedCertificate>,
    period: Duration,
}

/// What follows the files, on the thread that started it.
#[derive(Debug)]
pub(crate) struct RunningRenewal(JoinHandle<()>);

impl RunningRenewal {
    /// Ends it.
    pub(crate) fn stop(&self) {
        self.0.abort();
    }
}

impl Renewal {
    pub(super) fn of(
        settings: TlsSettings,
        files: &PairFiles,
        served: Arc<ServedCertificate>,
        period: Duration,
    ) -> Self {
        Self {
            settings,
            looks: Looks::begin(files.clone(), period),
            served,
            period,
        }
    }

    /// Looks at the files from now on, and at the time.
    pub(crate) fn start(self) -> RunningRenewal {
        RunningRenewal(actix_rt::spawn(self.run()))
    }

    async fn run(mut self) {
        let threads = Threads::new("tls-files", 1);
        let mut told = CertificateState::Valid;
        let mut looks = tokio::time::interval(self.period);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let settings = self.settings.clone();
            let Some(read) = threads.run(move || PairFiles::read(&settings)).await else {
                continue;
            };
            if self.look(read) {
                told = CertificateState::Valid;
            }
            let state = self.served.state_at(SystemTime::now());
            if state > told {
                told = state;
                self.warn(state);
            }
        }
    }

    /// Makes something of a look at the files; tells whether another certificate is served now.
    fn look(&mut self, read: Result<PairFiles, TlsError>) -> bool {
        match self.looks.take(read) {
            Look::Nothing => false,
            Look::AsServed => {
                self.served.note_refused(false);
                false
            }
            Look::Another(pair) => {
                self.served.replace(pair);
                log::info!(
                    "the certificate of server.tls has changed: new connections get the new one, which is valid until {}",
                    self.served.expires_text()
                );
                true
            }
            Look::Unusable(error) => {
                self.served.note_refused(true);
                log::error!(
                    "the files of server.tls have changed, and the certificate before is still served: {error}"
                );
                false
            }
        }
    }

    fn warn(&self, state: CertificateState) {
        let until = self.served.expires_text();
        let path = self.settings.certificate.display();
        match state {
            CertificateState::Valid => {}
            CertificateState::ExpiresSoon => {
                log::warn!("server.tls.certificate ({path}) is valid until {until} and not renewed yet");
            }
            CertificateState::Expired => {
                log::error!(
                    "server.tls.certificate ({path}) was valid until {until}: clients refuse it; renew it"
                );
            }
        }
    }
}

/// What a look at the files has found.
enum Look {
    /// Nothing that is news.
    Nothing,
    /// What is served, maybe again.
    AsServed,
    Another(Pair),
    /// What cannot be served, and has stayed so.
    Unusable(TlsError),
}

/// The looks at the files so far.
#[derive(Debug)]
struct Looks {
    served: PairFiles,
    /// What the last look found, where that is not what is served.
    found: Option<Result<PairFiles, TlsError>>,
    /// How many looks have found that.
    times: u32,
    /// How many looks have to find the same before it is said to be of no use.
    patience: u32,
}

impl Looks {
    fn begin(served: PairFiles, period: Duration) -> Self {
        let patience = UNUSABLE.as_millis().div_ceil(period.as_millis().max(1));
        Self {
            served,
            found: None,
            times: 0,
            patience: u32::try_from(patience).unwrap_or(u32::MAX).saturating_add(1),
        }
    }

    fn take(&mut self, read: Result<PairFiles, TlsError>) -> Look {
        if read.as_ref() == Ok(&self.served) {
            self.found = None;
            return Look::AsServed;
        }
        if self.found.as_ref() != Some(&read) {
            (self.found, self.times) = (Some(read), 1);
            return Look::Nothing;
        }
        self.times = self.times.saturating_add(1);
        let is_time_to_tell = self.times == self.patience;
        if self.times > SETTLED_LOOKS && !is_time_to_tell {
            return Look::Nothing;
        }
        let pair = read.and_then(|files| files.parse().map(|pair| (files, pair)));
        match pair {
            Ok((files, pair)) => {
                self.served = files;
                self.found = None;
                Look::Another(pair)
            }
            Err(error) if is_time_to_tell => Look::Unusable(error),
            Err(_) => Look::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use test_support::tls::{Certificate, Files};

    use super::*;

    const SOON: Duration = Duration::from_secs(14 * 24 * 3600);
    /// Of looks: the fourth one comes so long after the first that what it finds is told.
    const PERIOD: Duration = Duration::from_secs(2);

    /// What a look has found, in a word.
    fn word(look: &Look) -> &'static str {
        match look {
            Look::Nothing => "nothing",
            Look::AsServed => "as served",
            Look::Another(_) => "another",
            Look::Unusable(_) => "unusable",
        }
    }

    #[test]
    fn what_stays_unusable_is_told_once_and_the_next_that_matches_is_served() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (Certificate::valid(), Certificate::valid());
        let files = Files::write(folder.path(), &first);
        let settings = TlsSettings {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
        };
        let mut looks = Looks::begin(PairFiles::read(&settings).unwrap(), PERIOD);
        let mut look = || word(&looks.take(PairFiles::read(&settings)));
        assert_eq!([look(), look()], ["as served"; 2]);
        // Both files, one between two looks.
        files.replace_certificate(&second.certificate);
        assert_eq!(look(), "nothing");
        files.replace_key(&second.key);
        assert_eq!([look(), look(), look()], ["nothing", "another", "as served"]);
        // The certificate alone, and it stays so.
        let unusable = ["nothing", "nothing", "nothing", "unusable", "nothing", "nothing"];
        files.replace_certificate(&first.certificate);
        assert_eq!([(); 6].map(|()| look()), unusable);
        // Something else that cannot be used.
        std::fs::remove_file(&files.key).unwrap();
        assert_eq!([(); 6].map(|()| look()), unusable);
        files.replace_key(&first.key);
        assert_eq!([look(), look()], ["nothing", "another"]);
        // A key that comes a moment after its certificate.
        files.replace_certificate(&second.certificate);
        assert_eq!([look(), look(), look()], ["nothing"; 3]);
        files.replace_key(&second.key);
        assert_eq!([look(), look()], ["nothing", "another"]);
        files.replace_certificate(&first.certificate);
        files.replace_key(&first.key);
        assert_eq!([look(), look()], ["nothing", "another"]);
        files.replace_key("nothing");
        assert_eq!([(); 6].map(|()| look()), unusable);
        // Back to what is served.
        files.replace_key(&first.key);
        assert_eq!([look(), look()], ["as served"; 2]);
    }

    #[test]
    fn a_chain_that_is_written_in_place_is_served_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second, authority) = (Certificate::valid(), Certificate::valid(), Certificate::valid());
        let files = Files::write(folder.path(), &first);
        let settings = TlsSettings {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
        };
        let mut looks = Looks::begin(PairFiles::read(&settings).unwrap(), PERIOD);
        let mut look = || match looks.take(PairFiles::read(&settings)) {
            Look::Another(pair) => pair.certified.cert.len(),
            other => {
                assert_eq!(word(&other), "nothing");
                0
            }
        };
        // The key, the certificate, which match from here on, and what leads from it to a root in two parts.
        std::fs::write(&files.key, &second.key).unwrap();
        let mut file = std::fs::File::create(&files.certificate).unwrap();
        let (begin, rest) = authority.certificate.split_at(authority.certificate.len() / 2);
        for part in [&second.certificate, begin, rest] {
            file.write_all(part.as_bytes()).unwrap();
            assert_eq!(look(), 0, "it may go on");
        }
        assert_eq!(look(), 2);
    }

    #[test]
    fn the_end_is_near_two_weeks_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::write(folder.path(), &Certificate::valid_until(2090));
        let settings = TlsSettings {
            certificate: files.certificate,
            key: files.key,
        };
        let pair = PairFiles::read(&settings).unwrap().parse().unwrap();
        let served = ServedCertificate::new(pair);
        assert_eq!(served.expires_text(), "2090-01-01T00:00:00Z");
        let (end, second) = (served.expires(), Duration::from_secs(1));
        let states = [end - SOON - second, end - SOON, end - second, end].map(|now| served.state_at(now));
        let expected = [
            CertificateState::Valid,
            CertificateState::ExpiresSoon,
            CertificateState::ExpiresSoon,
            CertificateState::Expired,
        ];
        assert_eq!(states, expected);
    }
}
