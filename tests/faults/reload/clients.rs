//! Clients of the environment that stays.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use test_support::findings::{Findings, grouped};
use test_support::http::{Connection, Request, Writer};

use super::scene::KEY;
use crate::harness::Proxy;

/// Clients of the environment that stays: some ask all the time, some listen.
pub(super) struct Clients {
    is_ended: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    asking: Vec<JoinHandle<Vec<String>>>,
    listening: Vec<(Writer, JoinHandle<bool>)>,
}

impl Clients {
    pub(super) fn start(proxy: &Proxy, asking: usize, listening: usize) -> Self {
        let (is_ended, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let expected = proxy.send(&Request::get("/api/v1/flags/").key(KEY)).body;
        let asking = (0..asking).map(|client| {
            let (is_ended, answers) = (Arc::clone(&is_ended), Arc::clone(&answers));
            let (address, expected) = (proxy.address, expected.clone());
            thread::spawn(move || {
                let server_side = format!("ser.{KEY}");
                let key = if client % 2 == 0 { KEY } else { &server_side };
                let flags = Request::get("/api/v1/flags/").key(key);
                let identity = Request::post("/api/v1/identities/", r#"{"identifier":"bob"}"#).key(key);
                let (mut kept, mut failed) = (Connection::open(address), Vec::new());
                while !is_ended.load(Ordering::Relaxed) {
                    for request in [&flags, &identity] {
                        match kept.try_send(request) {
                            Ok(answer) if answer.status == 200 => {
                                answers.fetch_add(1, Ordering::Relaxed);
                                if std::ptr::eq(request, &flags) && answer.body != expected {
                                    failed.push(answer.text().to_owned());
                                }
                            }
                            Ok(answer) => failed.push(format!("{}: {}", answer.status, answer.text())),
                            Err(error) => {
                                failed.push(error.to_string());
                                kept = Connection::open(address);
                            }
                        }
                    }
                }
                failed
            })
        });
        let asking = asking.collect();
        let listening = (0..listening).map(|_| {
            let mut stream = Connection::open(proxy.address);
            stream.write_request(&Request::get(&format!("/sse/environments/{KEY}/stream")));
            assert_eq!(stream.read_head().status, 200);
            let (writer, ended) = (stream.duplicate(), Arc::clone(&is_ended));
            let thread = thread::spawn(move || {
                while stream.try_chunk().is_ok_and(|chunk| chunk.is_some()) {}
                ended.load(Ordering::Relaxed)
            });
            (writer, thread)
        });
        let listening = listening.collect();
        Self {
            is_ended,
            answers,
            asking,
            listening,
        }
    }

    /// Ends them. A request that was not answered as before, and a stream that ended, are lost.
    pub(super) fn end(self, findings: &mut Findings) -> Result<(), String> {
        self.is_ended.store(true, Ordering::Relaxed);
        let mut failed = Vec::new();
        for client in self.asking {
            failed.extend(client.join().unwrap());
        }
        let mut streams_cut = 0;
        let streams = self.listening.len();
        for (writer, listener) in self.listening {
            writer.end();
            streams_cut += u64::from(!listener.join().unwrap());
        }
        let answers = self.answers.load(Ordering::Relaxed);
        findings.lost(failed.len() as u64 + streams_cut);
        findings.clients(format!(
            "{} answers, all as before; {streams} streams, none ended",
            grouped(answers)
        ));
        match failed.first() {
            Some(first) => Err(format!("{} requests failed, such as {first}", failed.len())),
            None if streams_cut > 0 => Err(format!("{streams_cut} of {streams} streams ended")),
            None => Ok(()),
        }
    }
}
