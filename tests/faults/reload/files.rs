//! Configuration files that are invalid, there in part, gone, or somewhere else.
use std::fs;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::findings::Findings;
use test_support::upstream::ScriptedUpstream;

use super::clients::Clients;
use super::scene::{
    AT_ONCE, KEY, READ_AGAIN, REFUSED, Scene, answer, config, overwrite, pair, replace, within,
};
use crate::harness::{Proxy, volume};

/// A file that cannot be used is told of after this time.
const TOLD_AFTER: Duration = Duration::from_secs(2);
const UNUSABLE_FOR: Duration = Duration::from_millis(2_100);

pub(super) fn invalid_files(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::start();
    let clients = Clients::start(&scene.proxy, 2, 2);
    let with = |option: &str, value: Value| {
        let mut config = scene.config(&[pair(KEY)]);
        config[option] = value;
        config.to_string()
    };
    let all = [
        (
            with("server", json!({"port": "secret"})),
            "server.port (from config.json)",
        ),
        ("{".to_owned(), "config.json is not valid JSON"),
        (String::new(), "config.json is not valid JSON"),
        ("[]".to_owned(), "config.json is not valid JSON: it holds a list"),
        ("{}".to_owned(), "environment_key_pairs is set neither"),
        (
            with("api_url", json!("ftp://secret")),
            "api_url (from config.json)",
        ),
        (
            with("environment_key_pairs", json!([pair(KEY), pair(KEY)])),
            "environment_key_pairs[1].client_side_key (from config.json)",
        ),
        (
            with(
                "environment_key_pairs",
                json!([{"client_side_key": "ser.secret"}]),
            ),
            "environment_key_pairs[0].client_side_key (from config.json)",
        ),
        (
            with("realtime", json!({"max_stream_age_seconds": "secret"})),
            "realtime.max_stream_age_seconds",
        ),
    ];
    for (tried, (content, told)) in all.iter().take(volume(4, all.len())).enumerate() {
        replace(&scene.path(), content);
        scene.wait_for(tried + 1, REFUSED);
        let line = scene
            .proxy
            .program()
            .find_line(|line| line.contains(told).then(|| line.to_owned()));
        let standing = scene.standing();
        if standing["status"] != "error" || !standing["detail"].as_str().unwrap().contains(told) {
            return Err(format!("{content}: health says {standing}"));
        }
        findings.tried(1);
        if tried == 0 {
            let (_, said) = line.split_once(REFUSED).unwrap();
            findings.log(format!("{REFUSED}{said}"));
        }
    }
    if scene.proxy.written().contains("secret") || scene.standing().to_string().contains("secret") {
        return Err("a value is shown".to_owned());
    }
    findings.readiness(format!("{}; health names the option", scene.proxy.readiness()));
    replace(
        &scene.path(),
        &scene.config(&[pair(KEY), pair("comes")]).to_string(),
    );
    let fresh_after = scene.until("comes", |flags| flags.status == 200);
    findings.fresh_after(fresh_after);
    if scene.standing() != Value::Null {
        return Err(format!("health still says {}", scene.standing()));
    }
    clients.end(findings)?;
    within(fresh_after, AT_ONCE)
}

pub(super) fn half_written(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::start();
    let clients = Clients::start(&scene.proxy, 2, 2);
    let rounds = volume(2, 10);
    // Halves that were there for longer than a slow writer takes, because this machine stood still: these may be told.
    let mut late = 0;
    for round in 0..rounds {
        let key = format!("comes-{round}");
        let whole = scene.config(&[pair(KEY), pair(&key)]).to_string();
        let half = whole.len() / 2;
        let begun = Instant::now();
        overwrite(&scene.path(), &whole[..half]);
        // As long as a slow writer may take.
        thread::sleep(Duration::from_millis(1_000));
        overwrite(&scene.path(), &whole);
        late += usize::from(begun.elapsed() >= TOLD_AFTER);
        let fresh_after = scene.until(&key, |flags| flags.status == 200);
        findings.fresh_after(fresh_after);
        findings.tried(1);
        within(fresh_after, AT_ONCE)?;
    }
    clients.end(findings)?;
    if scene.lines(REFUSED) > late {
        return Err(format!("half a file was told: {}", scene.proxy.written()));
    }
    findings.log("nothing of the half");
    findings.readiness(scene.proxy.readiness().to_string());
    Ok(())
}

pub(super) fn gone(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::start();
    let clients = Clients::start(&scene.proxy, 2, 2);
    let content = fs::read_to_string(scene.path()).unwrap();
    let begun = Instant::now();
    fs::remove_file(scene.path()).unwrap();
    thread::sleep(Duration::from_millis(700));
    replace(&scene.path(), &content);
    // Longer, where this machine stood still, and that may be told.
    let was_a_moment = begun.elapsed() < TOLD_AFTER;
    thread::sleep(UNUSABLE_FOR);
    let (refused, read_again) = (scene.lines(REFUSED), scene.lines(READ_AGAIN));
    if was_a_moment && (refused > 0 || read_again > 0) {
        return Err(format!("a moment was told: {}", scene.proxy.written()));
    }
    fs::remove_file(scene.path()).unwrap();
    let is_gone = format!("{REFUSED}configuration file config.json is gone");
    scene.wait_for(refused + 1, &is_gone);
    findings.log(format!(
        "{REFUSED}configuration file config.json is gone: put it back"
    ));
    if scene.standing()["status"] != "error" {
        return Err(format!("health says {}", scene.standing()));
    }
    findings.readiness(format!("{}; health says it", scene.proxy.readiness()));
    replace(&scene.path(), &content);
    scene.wait_for(read_again + 1, READ_AGAIN);
    if scene.standing() != Value::Null {
        return Err(format!("health still says {}", scene.standing()));
    }
    findings.tried(2);
    clients.end(findings)
}

pub(super) fn symlink_swap(findings: &mut Findings) -> Result<(), String> {
    let upstream = ScriptedUpstream::start(answer);
    let folder = TempDir::new().unwrap();
    let (mount, api_url) = (folder.path().join("mount"), upstream.api_url());
    let publish = |number: usize, pairs: &[Value]| {
        let version = mount.join(format!("..2026_{number}"));
        fs::create_dir_all(&version).unwrap();
        fs::write(version.join("config.json"), config(&api_url, pairs).to_string()).unwrap();
        let next = mount.join("..data_tmp");
        symlink(version.file_name().unwrap(), &next).unwrap();
        fs::rename(next, mount.join("..data")).unwrap();
        if number > 0 {
            fs::remove_dir_all(mount.join(format!("..2026_{}", number - 1))).unwrap();
        }
    };
    publish(0, &[pair(KEY)]);
    symlink("..data/config.json", mount.join("config.json")).unwrap();
    let proxy = Proxy::start_in(folder, &json!({}), |command| {
        command.env("CONFIG_PATH", "mount/config.json");
    });
    proxy.wait_until_ready();
    let scene = Scene { upstream, proxy };
    let clients = Clients::start(&scene.proxy, 2, 2);
    let rounds = volume(3, 20);
    for round in 1..=rounds {
        let key = format!("comes-{round}");
        publish(round, &[pair(KEY), pair(&key)]);
        let fresh_after = scene.until(&key, |flags| flags.status == 200);
        findings.fresh_after(fresh_after);
        within(fresh_after, AT_ONCE)?;
        if round > 1 {
            scene.until(&format!("comes-{}", round - 1), |flags| flags.status == 401);
        }
    }
    clients.end(findings)?;
    findings.log(format!(
        "{rounds} times: {READ_AGAIN}, and is in force: environment_key_pairs changed"
    ));
    findings.readiness(scene.proxy.readiness().to_string());
    Ok(())
}
