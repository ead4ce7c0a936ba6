//! Why a flag is what it is: `edge-proxy explain`, and what the admin port's `/explain` answers. The engine explains; here it is
//! found out what is asked and where the document comes from.
//!
//! # Layout
//! - `asking`: the question, from the command line or a body; `query`: from a query. `environments`: which environment is meant.
//! - `answer`: from a question and the environments that are held to an explanation.
//! - `command`: `edge-proxy explain`, which asks a running proxy (`client`), or explains `alone`.
mod alone;
mod answer;
mod asking;
mod client;
mod command;
mod environments;
mod query;

pub(crate) use answer::{Content, Held, Refusal, Source, explain};
pub(crate) use asking::{Asking, AskingError, WrittenTrait};
pub(crate) use command::{Outcome, Sought, run};
pub(crate) use environments::Known;
