//! Where a process has its configuration from, so that it can be read again.
use std::fmt;
use std::path::{Path, PathBuf};

use super::process;
use super::sources::Sources;
use super::variables::Variables;
use super::{FileContent, ListenHost, Loaded, ProxyProtocol, Settings, SettingsError, TrustedProxies};

/// Where a process may serve whose configuration cannot be used any more, as far as that can be read.
#[derive(Debug, Clone)]
pub struct Remains {
    /// `server.host` and `server.port`; `None`: one of them cannot be read.
    pub listens: Option<(ListenHost, u16)>,
    /// `server.tls.certificate`.
    pub certificate: Option<PathBuf>,
    /// `server.proxy_protocol`.
    pub proxy_protocol: ProxyProtocol,
    /// `FORWARDED_ALLOW_IPS`.
    pub trusted_proxies: TrustedProxies,
    /// `persistence.directory`.
    pub directory: Option<PathBuf>,
}

/// The configuration file and the environment variables of a process. The file may change; the variables are those that
/// the process was started with.
pub struct ConfigurationSource {
    path: PathBuf,
    variables: Variables,
}

impl ConfigurationSource {
    /// `config_path` comes from the command line; without it `CONFIG_PATH` counts, else `config.json`. The environment
    /// is a parameter, so that tests need no globals of the process.
    pub fn new(config_path: Option<&Path>, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables = Variables::new(variables);
        let path = config_path.map_or_else(
            || {
                variables
                    .get("config_path")
                    .map_or("config.json", |variable| variable.text.trim())
                    .into()
            },
            Path::to_owned,
        );
        Self { path, variables }
    }

    /// The configuration file, whether it exists or not.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the configuration from the file and the variables, which win. This blocks as [`FileContent::read`] does.
    ///
    /// # Errors
    /// Where an option cannot be understood, the first one.
    pub fn load(&self) -> Result<Loaded, SettingsError> {
        self.load_of(FileContent::read(&self.path))
    }

    /// Reads what says where a process serves, and nothing else, from a configuration that cannot be used. Blocks as
    /// [`Self::load`] does.
    pub fn remains(&self) -> Remains {
        let file = FileContent::read(&self.path);
        let sources = Sources::read_leniently(&self.path, &file, &self.variables, &["server", "persistence"]);
        Remains {
            listens: listens(&sources),
            certificate: sources.tls().ok().flatten().map(|tls| tls.certificate),
            proxy_protocol: sources.proxy_protocol().unwrap_or(ProxyProtocol::Off),
            trusted_proxies: process::trusted_proxies(&self.variables, &mut Vec::new()),
            directory: sources
                .persistence()
                .ok()
                .and_then(|persistence| persistence.directory),
        }
    }

    /// Where a process would listen by its variables alone; `None`: they cannot be read. That stays the same while a process runs,
    /// whatever becomes of its file, and tells apart those that are configured by variables in one directory. Blocks for nothing.
    pub fn listens_by_variables(&self) -> Option<(ListenHost, u16)> {
        let no_file = FileContent::missing();
        listens(&Sources::read_leniently(
            &self.path,
            &no_file,
            &self.variables,
            &["server"],
        ))
    }

    /// Whether a variable says anything of where it listens.
    pub(crate) fn has_server_variable(&self) -> bool {
        self.variables.get("server").is_some()
    }

    /// Reads the configuration from what the file holds and the variables, which win.
    ///
    /// # Errors
    /// Where an option cannot be understood, the first one.
    pub fn load_of(&self, file: FileContent) -> Result<Loaded, SettingsError> {
        let mut notices = Vec::new();
        let sources = Sources::read(&self.path, &file, &self.variables, &mut notices)?;
        let settings = Settings::from_sources(&sources, &self.variables, &mut notices)?;
        Ok(Loaded {
            settings,
            notices,
            file,
        })
    }
}

fn listens(sources: &Sources) -> Option<(ListenHost, u16)> {
    Some((sources.host().ok()?, sources.port().ok()?))
}

/// Variables hold keys.
impl fmt::Debug for ConfigurationSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigurationSource")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
