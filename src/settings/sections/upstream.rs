//! `upstream`: how the Flagsmith API is reached. The Edge Proxy 2.23 has nothing of it.
use std::path::PathBuf;

use actors::upstream::{
    ClientCertificateFiles, DOCUMENT_MEMORY_BYTES, ExtraHeaders, NotAHeader, RootCertificates, TlsFiles,
};
use serde_json::Value;

use super::super::UpstreamSettings;
use super::super::field::Field;
use super::super::sources::Sources;
use super::Read;

const CA_FILE: &str = "upstream.ca_file";
const CLIENT_CERTIFICATE: &str = "upstream.client_certificate";
const CLIENT_KEY: &str = "upstream.client_key";
const HEADERS: &str = "upstream.headers";

impl Sources {
    /// Reads `upstream`, and the files that it names.
    pub(in crate::settings) fn upstream(&self) -> Read<UpstreamSettings> {
        let settings = UpstreamSettings {
            document_memory: self.document_memory()?,
            ca_file: self.file_at(CA_FILE)?,
            client_certificate: self.client_certificate()?,
            headers: self.extra_headers()?,
        };
        self.check_files(&settings)?;
        Ok(settings)
    }

    fn document_memory(&self) -> Read<usize> {
        /// A document of 200 kB can be applied with it.
        const LEAST: u32 = 1024 * 1024;
        let Some(field) = self.field("upstream.document_memory_bytes") else {
            return Ok(DOCUMENT_MEMORY_BYTES);
        };
        let bytes = field.integer(LEAST, u32::MAX)?;
        Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    fn file_at(&self, option: &str) -> Read<Option<PathBuf>> {
        let path = self.field(option).map(|field| field.text()).transpose()?;
        Ok(path.map(|path| self.resolve_path(path)))
    }

    /// Both or none of certificate and key.
    fn client_certificate(&self) -> Read<Option<ClientCertificateFiles>> {
        let without = |option: &str, other: &str| {
            let problem = format!("is given without {other}; give both, or none");
            self.field(option).map(|field| field.invalid(problem))
        };
        match (self.file_at(CLIENT_CERTIFICATE)?, self.file_at(CLIENT_KEY)?) {
            (Some(certificate), Some(key)) => Ok(Some(ClientCertificateFiles { certificate, key })),
            (Some(_), None) => without(CLIENT_CERTIFICATE, CLIENT_KEY).map_or(Ok(None), Err),
            (None, Some(_)) => without(CLIENT_KEY, CLIENT_CERTIFICATE).map_or(Ok(None), Err),
            (None, None) => Ok(None),
        }
    }

    fn extra_headers(&self) -> Read<ExtraHeaders> {
        let mut headers = ExtraHeaders::default();
        let Some(field) = self.field(HEADERS) else {
            return Ok(headers);
        };
        let Value::Object(fields) = field.value() else {
            return Err(field.invalid("must be an object of names and values, as {\"X-Gateway-Key\": \"…\"}"));
        };
        for (name, value) in fields {
            // A variable takes a header of the file away by null.
            if value.is_null() {
                continue;
            }
            // What is no name may be a value in the wrong place, so it is not shown.
            let shown = match ExtraHeaders::default().add(name, "x") {
                Err(NotAHeader::Name) => HEADERS.to_owned(),
                _ => format!("{HEADERS}.{name}"),
            };
            let origin = self.origin(&format!("{HEADERS}.{name}"));
            let header = Field::new(shown, origin, value);
            headers
                .add(name, header.text()?)
                .map_err(|problem| header.invalid(problem.to_string()))?;
        }
        Ok(headers)
    }

    /// Checks the files, so that a start or a reload ends with what is wrong, and not each connection.
    fn check_files(&self, settings: &UpstreamSettings) -> Read<()> {
        let files = settings.tls_files(RootCertificates::default());
        files.check().or_else(|problem| {
            let field = self.field(problem.file.option());
            field.map_or(Ok(()), |field| Err(field.invalid(problem.problem)))
        })
    }
}

impl UpstreamSettings {
    /// The files that TLS with upstream is made of, with these root certificates.
    pub(crate) fn tls_files(&self, roots: RootCertificates) -> TlsFiles {
        TlsFiles {
            roots,
            ca_file: self.ca_file.clone(),
            client: self.client_certificate.clone(),
        }
    }
}
