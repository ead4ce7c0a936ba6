//! Arguments of `edge-proxy completions`, and what it prints.
use clap::Args;
use clap_complete::Shell;

use super::NAME;

/// For which shell.
#[derive(Debug, Clone, Copy, Args)]
pub struct CompletionsArguments {
    /// The shell
    pub shell: Shell,
}

impl CompletionsArguments {
    /// The script that the shell reads.
    pub(super) fn script(self, mut command: clap::Command) -> String {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, NAME, &mut script);
        // For bash, clap_complete 4.6 spells a name with a hyphen in two ways, so that no command's options are ever found
        // (https://github.com/clap-rs/clap/issues/6421).
        String::from_utf8_lossy(&script).replace(&NAME.replace('-', "__subcmd__"), &NAME.replace('-', "__"))
    }
}
