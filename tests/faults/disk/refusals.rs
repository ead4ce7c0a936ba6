//! Disks that take nothing, and a second process.
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;

use rustix::process::{Pid, Resource, Rlimit, getuid, prlimit};
use test_support::findings::Findings;

use super::environments::ENVIRONMENTS;
use super::scene::{
    Scene, claim, flags, lines_with, readiness, version_of, wait_for_version, wait_until_served,
    wait_until_stored,
};
use crate::harness::Proxy;

/// A user that owns nothing.
const NOBODY: u32 = 65_534;

/// Every write beyond some bytes is refused, as on a full disk, and later taken again.
pub(super) fn full(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::with_version(1);
    scene.store(1);
    let proxy = scene.start();
    wait_until_served(&proxy);
    limit_file_size(&proxy, Some(300));
    for version in 2..5 {
        scene.gives(version);
        wait_for_version(&proxy, version)?;
    }
    let trouble = "persistence.directory";
    proxy.program().wait_for_lines(1, |line| line.contains(trouble));
    findings.readiness(readiness(&proxy));
    limit_file_size(&proxy, None);
    wait_until_stored(&proxy, 4);
    proxy.program().wait_for_lines(2, |line| line.contains(trouble));
    let told = lines_with(&proxy.written(), trouble);
    claim(told.len() == 2, || format!("a line for each change: {told:?}"))?;
    told.iter().for_each(|line| findings.log(line.clone()));
    let left = scene
        .files()
        .into_iter()
        .filter(|(name, _)| name.ends_with(".unfinished"));
    claim(left.count() == 0, || {
        "an unfinished file is left on the full disk".to_owned()
    })?;
    restarts_with(&scene, proxy, 4)?;
    findings.clients("every answer 200 and new; all is stored once there is room");
    Ok(())
}

fn limit_file_size(proxy: &Proxy, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(proxy.program().id()).unwrap());
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

/// A directory that can be read and not written to.
pub(super) fn read_only(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::with_version(1);
    scene.store(1);
    for (name, _) in scene.files() {
        fs::set_permissions(scene.directory().join(name), Permissions::from_mode(0o444)).unwrap();
    }
    fs::set_permissions(scene.directory(), Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(scene.folder(), Permissions::from_mode(0o755)).unwrap();
    scene.goes_away();
    let proxy = Proxy::start_with(&scene.config(), |command| {
        // Nothing is forbidden to root.
        if getuid().is_root() {
            fs::set_permissions(command.get_current_dir().unwrap(), Permissions::from_mode(0o755)).unwrap();
            command.uid(NOBODY);
        }
    });
    wait_until_served(&proxy);
    wait_for_version(&proxy, 1)?;
    findings.readiness(readiness(&proxy));
    for version in 2..5 {
        scene.gives(version);
        wait_for_version(&proxy, version)?;
    }
    proxy
        .program()
        .wait_for_lines(1, |line| line.contains("persistence.directory"));
    let told = lines_with(&proxy.written(), "persistence.directory");
    claim(told.len() == 1, || format!("one line: {told:?}"))?;
    findings.log(told[0].clone());
    fs::set_permissions(scene.directory(), Permissions::from_mode(0o755)).unwrap();
    findings.clients("200 with what is stored, then with every new document");
    Ok(())
}

/// The second process reads, writes nothing, and does once the first is killed.
pub(super) fn two_processes(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::with_version(1);
    let first = scene.start();
    wait_until_stored(&first, 1);
    scene.goes_away();
    let second = scene.start();
    wait_until_served(&second);
    wait_for_version(&second, 1)?;
    findings.readiness(readiness(&second));
    scene.gives(2);
    wait_until_stored(&first, 2);
    for proxy in [&first, &second] {
        wait_for_version(proxy, 2)?;
    }
    drop(first);
    // It has the second version still to write, and finds it stored.
    let is_kept = |line: &str| line.contains("another process has stored its document");
    second.program().wait_for_lines(ENVIRONMENTS.len(), is_kept);
    scene.gives(3);
    wait_until_stored(&second, 3);
    let trouble = "persistence.directory";
    second.program().wait_for_lines(2, |line| line.contains(trouble));
    let told = lines_with(&second.written(), trouble);
    claim(told.len() == 2, || format!("two lines: {told:?}"))?;
    told.iter().for_each(|line| findings.log(line.clone()));
    restarts_with(&scene, second, 3)?;
    findings.clients("both serve every document; what the second has is stored once the first is killed");
    Ok(())
}

/// Kills the process; the next one, without upstream, must have this version.
fn restarts_with(scene: &Scene, proxy: Proxy, version: u32) -> Result<(), String> {
    drop(proxy);
    scene.goes_away();
    let next = scene.start();
    wait_until_served(&next);
    wait_for_version(&next, version)?;
    for environment in &ENVIRONMENTS {
        let served = version_of(&flags(&next, environment))?;
        claim(served == version, || {
            format!("version {served} of {}", environment.name)
        })?;
    }
    Ok(())
}
