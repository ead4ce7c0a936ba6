//! `server.tls`, which the Edge Proxy 2.23 does not have.
use super::super::TlsSettings;
use super::super::sources::Sources;
use super::Read;

const CERTIFICATE: &str = "server.tls.certificate";
const KEY: &str = "server.tls.key";

impl Sources {
    /// Reads `server.tls`; `None`: plain HTTP is spoken. The files are read where they are used.
    pub(in crate::settings) fn tls(&self) -> Read<Option<TlsSettings>> {
        match (self.field(CERTIFICATE), self.field(KEY)) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => Ok(Some(TlsSettings {
                certificate: self.resolve_path(certificate.text()?),
                key: self.resolve_path(key.text()?),
            })),
            (Some(alone), None) => Err(alone.invalid(format!("is given without {KEY}; give both"))),
            (None, Some(alone)) => Err(alone.invalid(format!("is given without {CERTIFICATE}; give both"))),
        }
    }
}
