/// The two kinds of environment key. What an answer may hold depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// A public key, as browsers and mobile applications hold it: never sees server-key-only features.
    Client,
    /// A secret key (`ser.…`): sees every feature and the whole document.
    Server,
}
