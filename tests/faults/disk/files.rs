//! Torn files, foreign ones, and those of other versions.
use std::fs;

use test_support::findings::Findings;

use super::environments::ENVIRONMENTS;
use super::scene::{
    Scene, claim, flags, lines_with, readiness, version_of, wait_for_version, wait_until_served,
    wait_until_stored,
};
use crate::harness::volume;

/// The newest document is cut off at a random place, or one of its bits is changed: the one before it is served.
pub(super) fn torn(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::with_version(1);
    scene.store(1);
    scene.store(2);
    let whole: Vec<_> = scene
        .documents()
        .into_iter()
        .map(|path| (fs::read(&path).unwrap(), path))
        .collect();
    scene.goes_away();
    for number in 0..volume(6, 60) {
        for (whole, path) in &whole {
            let place = fastrand::usize(..whole.len());
            let mut damaged = whole.clone();
            if number % 2 == 0 {
                damaged.truncate(place);
            } else {
                damaged[place] ^= 1 << fastrand::u8(..8);
            }
            fs::write(path, damaged).unwrap();
            findings.tried(1);
        }
        let proxy = scene.start();
        wait_until_served(&proxy);
        wait_for_version(&proxy, 1)?;
        let is_one = |line: &str| line.contains("the stored document ");
        proxy.program().wait_for_lines(ENVIRONMENTS.len(), is_one);
        let told = lines_with(&proxy.written(), "the stored document ");
        claim(told.len() == ENVIRONMENTS.len(), || {
            format!("a line for each: {told:?}")
        })?;
        if number == 0 {
            findings.readiness(readiness(&proxy));
            findings.log(told[0].clone());
        }
    }
    // With neither of the two there is nothing to serve, and upstream heals it.
    for path in fs::read_dir(scene.directory()).unwrap() {
        let path = path.unwrap().path();
        if path.extension().is_some() {
            fs::write(path, b"edge-proxy document 1\n").unwrap();
            findings.tried(1);
        }
    }
    let proxy = scene.start();
    let answer = flags(&proxy, &ENVIRONMENTS[0]);
    claim(answer.status == 503, || {
        format!("{} without any document", answer.status)
    })?;
    scene.gives(3);
    wait_until_stored(&proxy, 3);
    wait_for_version(&proxy, 3)?;
    findings.clients("200 with the document before it; 503 where both are torn, until upstream answers");
    Ok(())
}

/// Files, folders and links that are not the store's are left as they are.
pub(super) fn foreign(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::with_version(1);
    scene.store(1);
    let directory = scene.directory();
    let name = scene.documents()[0]
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let others = [
        "notes.txt",
        "core",
        "document",
        &format!("{name}.bak"),
        "a.1.document",
    ];
    for other in others {
        fs::write(directory.join(other), format!("foreign {other}")).unwrap();
        findings.tried(1);
    }
    fs::create_dir(directory.join("folder")).unwrap();
    fs::create_dir(directory.join("lost+found")).unwrap();
    std::os::unix::fs::symlink("nowhere", directory.join("link")).unwrap();
    // And one of another program in the place of the first environment's.
    fs::write(directory.join(&name), "another program's").unwrap();
    findings.tried(4);

    scene.goes_away();
    let proxy = scene.start();
    proxy.wait_until_ready();
    let statuses = ENVIRONMENTS.map(|environment| flags(&proxy, &environment).status);
    let mut sorted = statuses;
    sorted.sort_unstable();
    claim(sorted == [200, 503], || {
        format!("{statuses:?} with one of the two")
    })?;
    scene.gives(2);
    wait_until_stored(&proxy, 2);
    wait_for_version(&proxy, 2)?;
    let log = proxy.written();
    let told = [
        lines_with(&log, "persistence.directory"),
        lines_with(&log, "the stored document"),
    ]
    .concat();
    claim(told.len() == 2, || format!("a line for each: {told:?}"))?;
    told.iter().for_each(|line| findings.log(line.clone()));
    for other in others {
        let content = fs::read_to_string(directory.join(other)).unwrap_or_default();
        claim(content == format!("foreign {other}"), || {
            format!("{other} has changed")
        })?;
    }
    claim(
        directory.join("folder").is_dir() && directory.join("link").is_symlink(),
        || "what is no file has gone".to_owned(),
    )?;
    let aside = fs::read_to_string(directory.join(format!("{name}.set-aside-1")));
    claim(aside.is_ok_and(|aside| aside == "another program's"), || {
        "what had a document's name is lost".to_owned()
    })?;
    findings.clients("200 with what is stored, and with upstream's documents");
    Ok(())
}

/// What an older or newer version of the program has stored is skipped, told, and left to it.
pub(super) fn of_another_version(findings: &mut Findings) -> Result<(), String> {
    for version in [0, 2] {
        let scene = Scene::with_version(1);
        scene.store(1);
        let of_before = scene.documents();
        for path in &of_before {
            let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
            let other = text.replacen(
                "edge-proxy document 1",
                &format!("edge-proxy document {version}"),
                1,
            );
            let name = path.file_name().unwrap().to_str().unwrap();
            let of_other = name.replace(".1.", &format!(".{version}."));
            fs::write(scene.directory().join(of_other), &other).unwrap();
            fs::remove_file(path).unwrap();
            findings.tried(1);
        }
        // One that was renamed by hand, for an attempt.
        let renamed = scene.files()[0].clone();
        fs::write(&of_before[0], &renamed.1).unwrap();
        findings.tried(1);
        let of_others: Vec<_> = scene
            .files()
            .into_iter()
            .filter(|(name, _)| name.contains(&format!(".{version}.")))
            .collect();

        scene.goes_away();
        let proxy = scene.start();
        let answers = ENVIRONMENTS.map(|environment| flags(&proxy, &environment).status);
        claim(answers == [503, 503], || {
            format!("{answers:?} from a store of version {version}")
        })?;
        scene.gives(2);
        wait_until_stored(&proxy, 2);
        wait_for_version(&proxy, 2)?;
        let log = proxy.written();
        let told = [
            lines_with(&log, "2 files are of another version"),
            lines_with(&log, "the stored document is of version"),
        ]
        .concat();
        claim(told.len() == 2, || format!("a line for each: {log}"))?;
        told.iter().for_each(|line| findings.log(line.clone()));
        for (name, content) in of_others {
            let now = fs::read(scene.directory().join(&name)).unwrap_or_default();
            claim(now == content, || format!("{name} has changed"))?;
        }
        drop(proxy);
        scene.goes_away();
        let proxy = scene.start();
        wait_until_served(&proxy);
        claim(version_of(&flags(&proxy, &ENVIRONMENTS[0]))? == 2, || {
            "its own store is not found beside the other version's".to_owned()
        })?;
    }
    findings.clients("503 until upstream answers, 200 from then on");
    Ok(())
}
