use std::sync::mpsc;

use test_support::documents::FIXTURE;

use super::*;
use crate::environment::DocumentSource;

/// As where other documents take a processor's whole time.
#[actix_rt::test]
async fn what_could_not_be_compiled_in_time_has_not_failed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), FIXTURE).unwrap();
    let environment = EnvironmentOptions {
        client_side_key: EnvironmentKey::new("client-key"),
        server_side_keys: Vec::new(),
        source: DocumentSource::File(file.path().to_owned()),
        fallback: None,
    };
    let examiner = Examiner::new(&[environment], DocumentMemory::default());
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    let mut busy = Vec::new();
    // As many as there are threads for small documents, and more.
    for _ in 0..8 {
        let (workshop, blocked) = (examiner.workshop.clone(), Arc::clone(&blocked));
        busy.push(actix_rt::spawn(async move {
            let memory = workshop.claim(1).await.unwrap();
            let work = move || {
                let _ = blocked.lock().unwrap().recv();
                Ok(())
            };
            workshop.compile(1, memory, work).await
        }));
    }
    tokio::task::yield_now().await;
    let soon = tokio::time::Instant::now();
    let late = examiner.file(0, file.path(), soon).await;
    assert_eq!(late, Err(Unexamined::NoTime));
    drop(release);
    for work in busy {
        work.await.unwrap().unwrap();
    }
    let ample = soon + Duration::from_secs(60);
    let report = examiner.file(0, file.path(), ample).await.unwrap();
    assert_eq!(report.bytes, FIXTURE.len());
}
