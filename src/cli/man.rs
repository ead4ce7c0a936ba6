//! Arguments of `edge-proxy man`, and what it prints: roff, which `man -l` shows.
use clap::Args;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::exit_codes::EXIT_CODES;
use super::help::{OPTION_EXAMPLES, OPTIONS_ARE_VARIABLES, VARIABLES};
use super::{NAME, UsageError};

/// Which page.
#[derive(Debug, Clone, Args)]
pub struct ManArguments {
    /// The command that it is about (default: the program)
    pub command: Option<String>,
}

impl ManArguments {
    /// The page.
    ///
    /// # Errors
    /// There is no such command.
    pub(super) fn page(self, mut command: clap::Command) -> Result<String, UsageError> {
        // Else there would be a page for each command of `help`.
        command = command.disable_help_subcommand(true);
        command.build();
        let page = match self.command {
            None => program(command),
            Some(name) => {
                let found = command.find_subcommand(&name).cloned();
                of_command(found.ok_or(UsageError::UnknownCommand)?)
            }
        };
        // Only a writer fails that is no memory.
        Ok(String::from_utf8_lossy(&page.unwrap_or_default()).into_owned())
    }
}

fn program(command: clap::Command) -> std::io::Result<Vec<u8>> {
    // Its sections follow in a page's own form.
    let man = Man::new(command.after_help(None::<&str>));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    man.render_subcommands_section(&mut page)?;
    sections().to_writer(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(page)
}

fn of_command(command: clap::Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.after_help(None::<&str>)).render(&mut page)?;
    Ok(page)
}

fn sections() -> Roff {
    let mut roff = Roff::new();
    let mut table = |title: &str, rows: &[(&str, &str)]| {
        roff.control("SH", [title]);
        for (name, meaning) in rows {
            roff.control("TP", []);
            roff.text([bold(*name)]);
            roff.text([roman(*meaning)]);
        }
    };
    table("ENVIRONMENT", VARIABLES);
    table("EXIT STATUS", EXIT_CODES);
    roff.control("SH", ["OPTIONS OF THE CONFIGURATION FILE"]);
    roff.text([roman(OPTIONS_ARE_VARIABLES)]);
    // As they are: a hyphen at the end of a line would become part of what is copied.
    roff.control("PP", []);
    roff.control("nf", []);
    for example in OPTION_EXAMPLES {
        roff.text([roman(*example)]);
    }
    roff.control("fi", []);
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman(format!("{NAME} help COMMAND, {NAME} man COMMAND"))]);
    roff
}
