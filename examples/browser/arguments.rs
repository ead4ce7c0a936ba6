//! The command line.
use std::path::PathBuf;

/// What is given there, or what stands for it.
pub(crate) struct Arguments {
    /// Where the page is served; 0: the system chooses.
    pub page_port: u16,
    /// Where the proxy listens; 0: the system chooses.
    pub proxy_port: u16,
    /// The folder that the demonstration writes.
    pub folder: PathBuf,
    /// The JavaScript SDK, as one module.
    pub sdk: PathBuf,
}

impl Arguments {
    /// Reads `--name value` pairs.
    pub(crate) fn parse(given: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            page_port: 8002,
            proxy_port: 8000,
            folder: "target/demo".into(),
            sdk: "tests/sdk/node/node_modules/@flagsmith/flagsmith/index.mjs".into(),
        };
        let mut given = given.into_iter();
        while let Some(name) = given.next() {
            let value = given.next().ok_or_else(|| format!("{name} needs a value"))?;
            let port = || value.parse().map_err(|_| format!("{name} {value}: give a port"));
            match name.as_str() {
                "--page-port" => arguments.page_port = port()?,
                "--proxy-port" => arguments.proxy_port = port()?,
                "--folder" => arguments.folder = value.into(),
                "--sdk" => arguments.sdk = value.into(),
                _ => {
                    return Err(format!(
                        "{name} is unknown; see the head of examples/browser/main.rs"
                    ));
                }
            }
        }
        Ok(arguments)
    }
}
