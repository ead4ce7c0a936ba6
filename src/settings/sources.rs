//! The configuration file and the environment variables, merged; each option knows where it came from.
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::field::Field;
use super::file_content::Unread;
use super::schema::{Form, Known, OPTIONS, SERVER_PROXY_HEADERS, kind, nearest};
use super::variables::{Variable, Variables};
use super::{FileContent, Notice, Origin, SettingsError};

type Object = Map<String, Value>;

/// Editors on Windows put it first.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// All options by their own names, aliases resolved; variables win over the file.
pub(super) struct Sources {
    path: PathBuf,
    options: Object,
    /// Path of an option, as in `server.port`, to the variable that gave it.
    from_variable: HashMap<String, String>,
}

impl Sources {
    /// Reads what the file at `path` holds, then lays the variables over it.
    pub(super) fn read(
        path: &Path,
        file: &FileContent,
        variables: &Variables,
        notices: &mut Vec<Notice>,
    ) -> Result<Self, SettingsError> {
        let mut sources = Self {
            path: path.to_owned(),
            options: Object::new(),
            from_variable: HashMap::new(),
        };
        let is_file_there = sources.read_file(file, notices)?;
        for known in OPTIONS {
            // The option's own name is the strongest of its spellings, so it comes last.
            for spelling in known.spellings().rev() {
                if let Some(variable) = variables.get(spelling) {
                    sources.overlay(known, variable, notices)?;
                }
            }
        }
        sources.overlay_proxy_headers(variables);
        if !is_file_there && !sources.options.contains_key("environment_key_pairs") {
            return Err(SettingsError::Missing {
                path: path.to_owned(),
            });
        }
        variables.warn_of_misspelt(notices);
        Ok(sources)
    }

    /// Reads what of these options can be read, whatever else there is.
    pub(super) fn read_leniently(
        path: &Path,
        file: &FileContent,
        variables: &Variables,
        wanted: &[&str],
    ) -> Self {
        let mut sources = Self {
            path: path.to_owned(),
            options: Object::new(),
            from_variable: HashMap::new(),
        };
        let (origin, mut unheard) = (Origin::File(path.to_owned()), Vec::new());
        let bytes = file.0.as_deref().unwrap_or_default();
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let given: Object = serde_json::from_slice(bytes).unwrap_or_default();
        let wanted = |known: &&Known| wanted.contains(&known.name);
        for known in OPTIONS.iter().filter(wanted) {
            let of_it = given.iter().filter(|(name, _)| known.is_spelt(name));
            let of_it = of_it.map(|(name, value)| (name.clone(), value.clone())).collect();
            if let Ok(option) = normalise(of_it, OPTIONS, "", &origin, &mut unheard) {
                sources.options.extend(option);
            }
            for variable in known
                .spellings()
                .rev()
                .filter_map(|spelling| variables.get(spelling))
            {
                // What cannot be read is as if it were not there.
                let _ = sources.overlay(known, variable, &mut unheard);
            }
        }
        sources
    }

    /// Finds the option at this path; `None` where it is missing or null.
    pub(super) fn field(&self, option: &str) -> Option<Field<'_>> {
        let value = self.find(option)?;
        (!value.is_null()).then(|| Field::new(option.to_owned(), self.origin(option), value))
    }

    /// Tells whether the option is given as null.
    pub(super) fn is_null(&self, option: &str) -> bool {
        self.find(option).is_some_and(Value::is_null)
    }

    /// The configuration file, whether it exists or not.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Resolves a path of the configuration: a relative one starts at the configuration file.
    pub(super) fn resolve_path(&self, relative: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(relative)
    }

    fn find(&self, option: &str) -> Option<&Value> {
        let mut names = option.split('.');
        let first = self.options.get(names.next()?)?;
        names.try_fold(first, |value, name| value.get(name))
    }

    /// Where the option at this path came from.
    pub(super) fn origin(&self, option: &str) -> Origin {
        match self.from_variable.get(option) {
            Some(name) => Origin::Variable(name.clone()),
            None => Origin::File(self.path.clone()),
        }
    }

    /// Answers false where there is no file.
    fn read_file(&mut self, file: &FileContent, notices: &mut Vec<Notice>) -> Result<bool, SettingsError> {
        let bytes = match &file.0 {
            Ok(bytes) => bytes,
            Err(Unread::Missing) => {
                let path = self.path.display();
                notices.push(Notice::info(format!(
                    "no configuration file {path}: environment variables alone are used"
                )));
                return Ok(false);
            }
            Err(Unread::Failed(problem)) => {
                return Err(SettingsError::Unreadable {
                    path: self.path.clone(),
                    problem: problem.clone(),
                });
            }
        };
        let origin = Origin::File(self.path.clone());
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        let value: Value = serde_json::from_slice(bytes).map_err(|error| not_json(&origin, &error))?;
        let Value::Object(options) = value else {
            return Err(SettingsError::NotJson {
                origin,
                problem: format!("it holds {}; give an object of options", kind(&value)),
            });
        };
        self.options = normalise(options, OPTIONS, "", &origin, notices)?;
        Ok(true)
    }

    /// Lays one variable over what is there.
    fn overlay(
        &mut self,
        known: &Known,
        variable: &Variable,
        notices: &mut Vec<Notice>,
    ) -> Result<(), SettingsError> {
        let origin = Origin::Variable(variable.name.clone());
        let parse = || serde_json::from_str(&variable.text).map_err(|error| not_json(&origin, &error));
        let text = variable.text.trim();
        let value = match known.form {
            Form::Text => Value::String(text.to_owned()),
            Form::Json => parse()?,
            Form::ListOrText if text.starts_with('[') => parse()?,
            Form::ListOrText => Value::String(text.to_owned()),
            Form::Object if text.starts_with('{') => match parse()? {
                Value::Object(object) => {
                    Value::Object(normalise(object, known.children, known.name, &origin, notices)?)
                }
                other => other,
            },
            Form::Object => {
                notices.push(Notice::warning(format!(
                    "{origin} is no JSON object, so it is taken to be another program's and left aside; the option \
                     {} wants an object",
                    known.name
                )));
                return Ok(());
            }
        };
        self.merge(known.name, value, &variable.name);
        Ok(())
    }

    fn overlay_proxy_headers(&mut self, variables: &Variables) {
        let (name, [object, option]) = SERVER_PROXY_HEADERS;
        if let Some(variable) = variables.get(name) {
            let inner = Object::from_iter([(option.to_owned(), Value::String(variable.text.clone()))]);
            self.merge(object, Value::Object(inner), &variable.name);
        }
    }

    fn merge(&mut self, option: &str, value: Value, variable: &str) {
        record(&mut self.from_variable, option, &value, variable);
        match self.options.get_mut(option) {
            Some(below) => lay_over(below, value),
            None => {
                self.options.insert(option.to_owned(), value);
            }
        }
    }
}

/// Objects are merged, everything else is replaced.
fn lay_over(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (name, value) in above {
                match below.get_mut(&name) {
                    Some(inner) => lay_over(inner, value),
                    None => {
                        below.insert(name, value);
                    }
                }
            }
        }
        (below, above) => *below = above,
    }
}

/// Notes the variable as the origin of each option in `value`.
fn record(origins: &mut HashMap<String, String>, option: &str, value: &Value, variable: &str) {
    if let Value::Object(inner) = value {
        for (name, value) in inner {
            record(origins, &format!("{option}.{name}"), value, variable);
        }
    } else {
        origins.insert(option.to_owned(), variable.to_owned());
    }
}

/// Renames aliases to the options' own names; warns of unknown names and leaves them out.
fn normalise(
    object: Object,
    known: &[Known],
    path: &str,
    origin: &Origin,
    notices: &mut Vec<Notice>,
) -> Result<Object, SettingsError> {
    if known.is_empty() {
        return Ok(object);
    }
    let mut normal = Object::new();
    for (name, value) in object {
        let Some(option) = known.iter().find(|option| option.is_spelt(&name)) else {
            notices.push(unknown_option(&name, known, path, origin));
            continue;
        };
        let full = if path.is_empty() {
            option.name.to_owned()
        } else {
            format!("{path}.{}", option.name)
        };
        let value = match value {
            Value::Object(inner) if option.form == Form::Object => {
                Value::Object(normalise(inner, option.children, &full, origin, notices)?)
            }
            Value::Null => Value::Null,
            other if option.form == Form::Object => {
                return Err(SettingsError::Invalid {
                    option: full,
                    origin: origin.clone(),
                    problem: format!("is {}; give an object", kind(&other)),
                });
            }
            other => other,
        };
        if name == option.name || !normal.contains_key(option.name) {
            normal.insert(option.name.to_owned(), value);
        }
    }
    Ok(normal)
}

/// Words the warning of an unknown name, with the name that may be meant.
pub(super) fn unknown_option(name: &str, known: &[Known], path: &str, origin: &Origin) -> Notice {
    let place = if path.is_empty() {
        String::new()
    } else {
        format!(" in {path}")
    };
    let near = nearest(name, known.iter().flat_map(Known::spellings));
    Notice::warning(match near {
        Some(near) => format!("unknown option {name:?}{place} (from {origin}): did you mean {near:?}?"),
        // Without a near name it may be anything, even a key in the wrong place, so it is not shown.
        None if path.starts_with("environment_key_pairs") || name.starts_with("ser.") => {
            format!("unknown option{place} (from {origin})")
        }
        None => format!("unknown option {:?}{place} (from {origin})", shortened(name)),
    })
}

fn shortened(name: &str) -> String {
    name.chars().take(60).collect()
}

fn not_json(origin: &Origin, error: &serde_json::Error) -> SettingsError {
    SettingsError::NotJson {
        origin: origin.clone(),
        problem: error.to_string(),
    }
}
