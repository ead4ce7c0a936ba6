//! What the system allows.
use std::process::{Command, Stdio};
use std::sync::Arc;

use edge_proxy::doctor::{self, CgroupFiles, Verdict};
use edge_proxy::settings::ConfigurationSource;
use serde_json::json;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{Diagnosis, at, document, examine, folder};
use crate::harness::{merge, wait};

#[test]
fn too_few_open_files() {
    let upstream = ScriptedUpstream::serving(&document());
    let folder = folder(&at(&upstream.api_url()));
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "ulimit -n 100 && exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_edge-proxy"),
        ])
        .env_clear()
        .env("WEB_CONCURRENCY", "64")
        .env("TMPDIR", folder.path())
        .current_dir(folder.path());
    Diagnosis::of(&mut command).assert_fails(("system", "open files"), "ulimit -n");
}

#[test]
fn fewer_open_files_than_streams_that_are_asked_for() {
    let upstream = ScriptedUpstream::serving(&document());
    let mut config = at(&upstream.api_url());
    merge(
        &mut config,
        &json!({"realtime": {"max_subscribers": 4_000_000_000_u32}}),
    );
    examine(&config).assert_warns(("system", "open files"), "realtime.max_subscribers");
}

/// A limit of threads holds for every account but root, so root examines as another.
#[test]
#[cfg(target_os = "linux")]
fn too_few_threads() {
    let has = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    if !has("prlimit") || !has("setpriv") {
        eprintln!("skipped: it needs prlimit and setpriv of util-linux");
        return;
    }
    let upstream = ScriptedUpstream::serving(&document());
    let folder = folder(&at(&upstream.api_url()));
    let mut command = Command::new("prlimit");
    command.args(["--nproc=40:40", "--"]);
    if rustix::process::getuid().is_root() {
        // One that has no other process: those of all tests that run as nobody would count.
        let account = 20_000 + std::process::id() % 40_000;
        command.args(["setpriv", &format!("--reuid={account}"), "--clear-groups"]);
    }
    command
        .arg(super::reachable_program(&folder))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TMPDIR", folder.path())
        .env("WEB_CONCURRENCY", "64")
        .current_dir(folder.path());
    Diagnosis::of(&mut command).assert_fails(("system", "threads"), "WEB_CONCURRENCY");
}

/// Where memory runs out the kernel ends the doctor, and no proxy beside it.
#[test]
#[cfg(target_os = "linux")]
fn the_doctor_is_the_first_to_end() {
    let upstream = ScriptedUpstream::start(|_| Answer::hang());
    let folder = folder(&at(&upstream.api_url()));
    let mut doctor = crate::harness::command(folder.path());
    let mut doctor = doctor.arg("doctor").stdout(Stdio::null()).spawn().unwrap();
    let mut asked = upstream.count();
    wait(async { asked.wait_for(|requests| *requests > 0).await.map(drop) }).unwrap();
    let adjusted = std::fs::read_to_string(format!("/proc/{}/oom_score_adj", doctor.id()));
    doctor.kill().unwrap();
    doctor.wait().unwrap();
    assert_eq!(adjusted.unwrap().trim(), "1000");
}

/// A container with a proxy in it has little left.
#[test]
fn documents_take_half_of_what_a_container_has_left() {
    let mut large = document();
    large["padding"] = json!("x".repeat(6_000_000));
    let upstream = ScriptedUpstream::serving(&large);
    let folder = folder(&at(&upstream.api_url()));
    let cgroups = CgroupFiles {
        own: folder.path().join("own"),
        root: folder.path().to_owned(),
    };
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("own", "0::/\n");
    write("memory.max", "268435456\n");
    let source = ConfigurationSource::new(Some(&folder.path().join("config.json")), []);
    let source = Arc::new(source);
    for (used, cached, verdict) in [
        ("240000000", 0, Verdict::Warning),
        ("20000000", 0, Verdict::Ok),
        // Files that were read fill every container up, and make room.
        ("240000000", 220_000_000, Verdict::Ok),
    ] {
        write("memory.current", used);
        write("memory.stat", &format!("anon 1\ninactive_file {cached}\n"));
        let report = actix::System::new().block_on(doctor::examine(&source, &cgroups));
        let mut documents = report
            .findings
            .iter()
            .filter(|finding| finding.check == "document");
        let told = documents.next().unwrap();
        assert_eq!(told.verdict, verdict, "{used}, {cached}: {report}");
        assert!(report.is_sound(), "{report}");
    }
}

/// The kernel's files are another folder's here: no test can put itself into a container.
#[test]
fn a_container_that_is_too_small() {
    let upstream = ScriptedUpstream::serving(&document());
    let folder = folder(&at(&upstream.api_url()));
    let cgroups = CgroupFiles {
        own: folder.path().join("own"),
        root: folder.path().join("cgroup"),
    };
    std::fs::create_dir(&cgroups.root).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("own", "0::/\n");
    write("cgroup/memory.max", "8388608\n");
    write("cgroup/cpu.max", "50000 100000\n");
    let variables = [("WEB_CONCURRENCY".to_owned(), "8".to_owned())];
    let source = ConfigurationSource::new(Some(&folder.path().join("config.json")), variables);
    let report = actix::System::new().block_on(doctor::examine(&Arc::new(source), &cgroups));
    let told: Vec<_> = report
        .findings
        .iter()
        .filter(|finding| finding.verdict != Verdict::Ok)
        .map(|finding| (finding.check, finding.verdict))
        .collect();
    assert_eq!(told, [("memory", Verdict::Failure), ("cpu", Verdict::Warning)]);
}
