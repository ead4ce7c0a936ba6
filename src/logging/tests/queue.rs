//! The queue before a reader that stalls, comes back, or goes.
use std::io::{self, Read as _, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::logging::queue::{CAPACITY, Queue};
use crate::logging::standard_error::StandardError;

const PATIENCE: Duration = Duration::from_secs(30);

/// A reader that takes nothing until the test lets go of its sender, and then everything.
struct Reader {
    stalls: Receiver<()>,
    read: Arc<Mutex<Vec<u8>>>,
    /// Told of each write that begins.
    begun: Sender<()>,
}

impl Write for Reader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.begun.send(());
        let _ = self.stalls.recv();
        self.read.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Stalled {
    queue: &'static Queue,
    release: Sender<()>,
    read: Arc<Mutex<Vec<u8>>>,
    begun: Receiver<()>,
}

fn queue() -> &'static Queue {
    Box::leak(Box::new(Queue::new()))
}

fn stalled() -> Stalled {
    let queue = queue();
    let (release, stalls) = mpsc::channel();
    let (begun_sender, begun) = mpsc::channel();
    let read = Arc::new(Mutex::new(Vec::new()));
    let reader = Reader {
        stalls,
        read: Arc::clone(&read),
        begun: begun_sender,
    };
    queue
        .start_writer(
            || Ok(reader),
            |lost| queue.push(format!("{lost} lost\n").as_bytes()),
        )
        .unwrap();
    Stalled {
        queue,
        release,
        read,
        begun,
    }
}

#[test]
fn a_stalled_reader_costs_lines_and_their_number_is_told() {
    let Stalled {
        queue,
        release,
        read,
        begun,
    } = stalled();
    queue.push(b"first\n");
    begun.recv_timeout(PATIENCE).unwrap();
    // The first line is in the writer's hand, so the queue has room for all of these but five.
    let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
    let fitting = CAPACITY / line.len();
    for _ in 0..fitting + 5 {
        queue.push(&line);
    }
    assert!(
        !queue.flush(Duration::ZERO),
        "whoever flushes does not wait for ever"
    );
    drop(release);
    assert!(queue.flush(PATIENCE));
    let read = String::from_utf8(read.lock().unwrap().clone()).unwrap();
    let mut lines = read.lines();
    assert_eq!(lines.next(), Some("first"));
    assert_eq!(
        lines.clone().filter(|line| line.starts_with('x')).count(),
        fitting
    );
    assert_eq!(lines.next_back(), Some("5 lost"));

    queue.push(b"after\n");
    assert!(queue.flush(PATIENCE), "there is room again");
    assert_eq!(queue.lost(), 5, "and the number stays");
}

#[test]
fn lines_are_written_whole_several_at_once() {
    let Stalled {
        queue,
        release,
        read,
        begun,
    } = stalled();
    let long = format!("{}\n", "y".repeat(5000));
    queue.push(b"first\n");
    begun.recv_timeout(PATIENCE).unwrap();
    for _ in 0..8 {
        queue.push(&[b"x".repeat(1023), b"\n".to_vec()].concat());
    }
    queue.push(long.as_bytes());
    queue.push(b"last\n");
    let ends = [(); 4].map(|()| {
        release.send(()).unwrap();
        begun.recv_timeout(PATIENCE).unwrap();
        read.lock().unwrap().len()
    });
    assert_eq!(ends, [6, 6 + 4096, 6 + 8192, 6 + 8192 + 5001]);
    drop(release);
    assert!(queue.flush(PATIENCE));
}

#[test]
fn what_cannot_be_written_is_counted_and_told_once_it_can() {
    struct Full(Receiver<bool>, Sender<Vec<u8>>);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.recv().unwrap_or(false) {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.1.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let queue = queue();
    let ((is_full, outcomes), (sender, written)) = (mpsc::channel(), mpsc::channel());
    queue
        .start_writer(
            || Ok(Full(outcomes, sender)),
            |lost| queue.push(format!("{lost} lost\n").as_bytes()),
        )
        .unwrap();
    for _ in 0..3 {
        queue.push(b"one\ntwo\n");
        is_full.send(true).unwrap();
        assert!(queue.flush(PATIENCE), "a disk that is full is not tried again");
    }
    queue.push(b"seen\n");
    drop(is_full);
    assert_eq!(written.recv_timeout(PATIENCE).unwrap(), b"seen\n");
    assert_eq!(written.recv_timeout(PATIENCE).unwrap(), b"6 lost\n");
}

#[test]
fn a_queue_that_nobody_writes_is_no_reason_to_wait() {
    queue().push(b"line\n");
    assert!(queue().flush(PATIENCE));
    let queue = queue();
    queue.push(b"line\n");
    let started = std::time::Instant::now();
    assert!(!queue.flush(PATIENCE));
    assert!(started.elapsed() < PATIENCE);
}

/// Whoever starts the process may have made the pipe non-blocking; that is no reason to lose half a line.
#[test]
fn a_pipe_that_does_not_block_is_waited_for() {
    let (mut reader, writer) = io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    let mut output = StandardError::to(writer);
    let sent = vec![b'x'; 1024 * 1024];
    let received = std::thread::spawn(move || {
        let mut received = Vec::new();
        reader.read_to_end(&mut received).map(|_| received.len())
    });
    output.write_all(&sent).unwrap();
    drop(output);
    assert_eq!(received.join().unwrap().unwrap(), sent.len());
}
