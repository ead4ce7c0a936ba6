//! Which programs this machine has.
use std::env;
use std::path::PathBuf;

/// Where Debian has servers, which is not in the path of everybody.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Finds a program; `package` is Debian's that has it. `None`, with a notice on standard error: the test is to be skipped.
///
/// # Panics
/// Where it is not installed and `CI` is set.
pub(crate) fn installed(program: &str, package: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&path).chain(SYSTEM_FOLDERS.map(PathBuf::from));
    if let Some(folder) = folders.find(|folder| folder.join(program).is_file()) {
        return Some(folder.join(program));
    }
    let notice = format!("{program} is not installed: apt-get install {package}");
    assert!(env::var_os("CI").is_none(), "{notice}");
    eprintln!("skipped: {notice}");
    None
}
