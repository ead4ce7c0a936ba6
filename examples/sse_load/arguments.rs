//! What the command line asks for.

/// The mode and its options; what is not given is the figure that the project promises.
#[derive(Debug, Clone)]
pub(crate) struct Arguments {
    pub mode: String,
    options: Vec<(String, String)>,
}

impl Arguments {
    /// `MODE [--name value]…`
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Self {
        let mode = arguments.next().unwrap_or_else(|| "fan-out".to_owned());
        let mut options = Vec::new();
        while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
            options.push((name.trim_start_matches('-').to_owned(), value));
        }
        Self { mode, options }
    }

    pub(crate) fn text(&self, name: &str, otherwise: &str) -> String {
        let given = self.options.iter().find(|(given, _)| given == name);
        given.map_or_else(|| otherwise.to_owned(), |(_, value)| value.clone())
    }

    pub(crate) fn number(&self, name: &str, otherwise: usize) -> usize {
        self.text(name, &otherwise.to_string())
            .parse()
            .unwrap_or_else(|_| panic!("--{name} wants a number"))
    }
}
