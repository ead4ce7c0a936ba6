//! A page that shows flags live, and the proxy that it asks: `make demo`.
//!
//! The proxy runs in this process, on a copy of the demonstration's document. The page is served on another port, so that the
//! browser asks across origins as any page does; its controls edit the copy, and the proxy tells every open page of it.
//!
//! `cargo run --example browser -- [--page-port 8002] [--proxy-port 8000] [--folder target/demo] [--sdk FILE]`
//!
//! # Layout
//! - `arguments`: the command line. `demonstration`: the folder with the document that is edited.
//! - `site`: the page, served to this machine alone. `page/`: its files.
#![allow(missing_docs, reason = "an example has no interface")]
use std::error::Error;
use std::process::ExitCode;

use edge_proxy::application::{Application, Limits, StopSignals};
use edge_proxy::settings::Settings;

mod arguments;
mod demonstration;
mod site;

use arguments::Arguments;
use demonstration::Demonstration;

fn main() -> ExitCode {
    let code = match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("browser: {error}");
            1
        }
    };
    edge_proxy::logging::flush();
    code.into()
}

fn run() -> Result<u8, Box<dyn Error>> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let demonstration = Demonstration::create(&arguments.folder, arguments.proxy_port)?;
    let sdk = site::read_sdk(&arguments.sdk)?;
    let loaded = Settings::load(Some(demonstration.configuration()), std::env::vars())?;
    edge_proxy::logging::init(&loaded.settings.logging)?;
    edge_proxy::server::open_files::raise_limit();
    let _ = rustls::crypto::ring::default_provider().install_default();
    actix::System::new().block_on(async move {
        let signals = StopSignals::install()?;
        let application = Application::build(&loaded.settings, Limits::default())?;
        let page = site::serve(arguments.page_port, application.port(), sdk, demonstration)?;
        println!("\n  Flags, live: http://{}/   (Ctrl-C ends it)\n", page.address);
        let outcome = application.run_until_stopped(signals).await?;
        page.stop().await;
        Ok(outcome.exit_code())
    })
}
