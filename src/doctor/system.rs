//! What the system allows: open files, threads, and the memory and cores of the container.
use std::io;

use actors::environment::DocumentReport;

use crate::application::Limits;
use crate::application::requirements;
use crate::server::open_files;
use crate::settings::Settings;

use super::container::Container;
use super::document::bytes;
use super::finding::{Finding, Subject, Verdict};
use super::listening::Running;

/// What a proxy takes with a small document, as measured (docs/sizing.md).
const BARE_MEMORY: usize = 12 * 1024 * 1024;
/// What a worker may take under load.
const WORKER_MEMORY: usize = 512 * 1024;

fn subject() -> Subject {
    Subject::new("system")
}

/// What to do where the system gives no thread.
pub(super) const MORE_THREADS: &str =
    "raise its limit (ulimit -u, TasksMax, docker run --pids-limit) or its memory";

/// That nothing can be examined.
pub(super) fn no_thread(error: &io::Error) -> Finding {
    subject().failure("threads", super::no_thread(error), MORE_THREADS)
}

/// Looks at open files and threads, as a start does. Blocks for a moment. A proxy that runs here has its threads already; as many
/// beside them are not needed, and must not be taken from it.
pub(super) fn limits(settings: &Settings, running: &Running) -> Vec<Finding> {
    let allowed = open_files::raise_limit();
    let subject = subject();
    let mut findings = Vec::new();
    let checked = match running {
        Running::Here(_) | Running::Perhaps => requirements::check_files(settings),
        Running::Elsewhere | Running::Nobody => requirements::check(settings),
    };
    if let Err(shortage) = checked {
        let line = shortage.to_string();
        let (detail, advice) = line.split_once(": ").unwrap_or((&line, "raise the limit"));
        let check = match shortage {
            requirements::Shortage::Files { .. } => "open files",
            requirements::Shortage::Threads { .. } => "threads",
        };
        findings.push(subject.failure(check, detail, advice));
        return findings;
    }
    let limits = Limits::default();
    let shortages: Vec<String> = limits.shortages(settings).collect();
    for shortage in &shortages {
        findings.push(subject.told("open files", Verdict::Warning, shortage));
    }
    if shortages.is_empty() {
        findings.push(subject.ok(
            "open files",
            format!(
                "{allowed}: {} connections, of which {} may be event streams",
                limits.shares(settings).served,
                limits.max_subscribers(settings)
            ),
        ));
    }
    findings.push(subject.ok(
        "threads",
        match running {
            Running::Here(_) => "the proxy that runs has those that it needs",
            Running::Perhaps => {
                "not tried: whoever listens at server.port may be the proxy, which has those that it needs"
            }
            Running::Elsewhere | Running::Nobody => "as many as are needed can be started",
        },
    ));
    findings
}

/// Compares the container's limits with what these documents take, by key pair; pure.
pub(super) fn container(
    settings: &Settings,
    container: &Container,
    documents: &[Option<DocumentReport>],
) -> Vec<Finding> {
    let sizes: Vec<Option<usize>> = documents
        .iter()
        .map(|document| document.as_ref().map(|document| document.bytes))
        .collect();
    of_sizes(settings, container, &sizes)
}

fn of_sizes(settings: &Settings, container: &Container, documents: &[Option<usize>]) -> Vec<Finding> {
    let subject = subject();
    let mut findings = Vec::new();
    findings.push(match container.memory {
        None if container.is_unknown => subject.ok(
            "memory",
            "whether a container limits it could not be read (/proc/self/cgroup)",
        ),
        None => subject.ok("memory", "no limit of a container's"),
        Some(limit) => memory(&subject, settings, limit, documents),
    });
    let workers = settings.process.workers;
    findings.push(match container.cores {
        None => subject.ok("cpu", format!("{workers} workers, and no limit of a container's")),
        Some(cores) if workers > most_workers(cores) => subject.warning(
            "cpu",
            format!("{workers} workers share {cores} cores of the container, which is halted when it has used them up"),
            format!("set WEB_CONCURRENCY to {}", most_workers(cores)),
        ),
        Some(cores) => subject.ok("cpu", format!("{workers} workers on {cores} cores of the container")),
    });
    findings
}

/// One for each core that is begun.
fn most_workers(cores: f64) -> usize {
    // It saturates.
    (cores.ceil() as usize).max(1)
}

fn memory(subject: &Subject, settings: &Settings, limit: u64, documents: &[Option<usize>]) -> Finding {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let unknown = documents.iter().filter(|document| document.is_none()).count();
    let documents: Vec<usize> = documents.iter().flatten().copied().collect();
    let held: usize = documents
        .iter()
        .map(|document| document.saturating_mul(3) / 2)
        .sum();
    // What the largest takes beside, while its next version is applied.
    let applied = documents.iter().max().copied().unwrap_or(0).saturating_mul(2);
    let needed = BARE_MEMORY.saturating_add(held).saturating_add(applied);
    let of_workers = WORKER_MEMORY.saturating_mul(settings.process.workers);
    let ample = needed.saturating_mul(3) / 2 + of_workers;
    let door = &settings.server.door;
    let budgets = settings
        .upstream
        .document_memory
        .saturating_add(door.max_body_bytes_in_flight)
        .saturating_add(door.max_answer_bytes_in_flight);
    let beside = match unknown {
        0 => String::new(),
        unknown => format!(", beside {unknown} that are not known"),
    };
    let detail = format!(
        "{} of the container; these documents take about {}{beside}",
        bytes(limit),
        bytes(needed)
    );
    let advice = "raise the container's memory limit: the kernel ends the process when it is reached (OOMKilled, exit 137)";
    if limit < needed {
        subject.failure("memory", detail, advice)
    } else if limit < ample {
        subject.warning("memory", detail, advice)
    } else if limit < budgets {
        subject.ok(
            "memory",
            format!(
                "{detail}. What the process allows itself at most (upstream.document_memory_bytes, server.max_body_bytes_in_flight, \
                 server.max_answer_bytes_in_flight) is {}, which only far larger documents or an attack use",
                bytes(budgets)
            ),
        )
    } else {
        subject.ok("memory", detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let pairs = r#"[{"client_side_key": "client", "server_side_key": "ser.server"}]"#;
        let variables = [("ENVIRONMENT_KEY_PAIRS", pairs), ("WEB_CONCURRENCY", "4")];
        let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Settings::load(Some(std::path::Path::new("/nonexistent")), variables)
            .unwrap()
            .settings
    }

    fn found(memory: Option<u64>, cores: Option<f64>, documents: &[Option<usize>]) -> Vec<Finding> {
        let container_limits = Container {
            memory,
            cores,
            ..Container::default()
        };
        of_sizes(&settings(), &container_limits, documents)
    }

    fn verdicts(memory: Option<u64>, cores: Option<f64>, documents: &[usize]) -> Vec<Verdict> {
        let documents: Vec<Option<usize>> = documents.iter().copied().map(Some).collect();
        let findings = found(memory, cores, &documents);
        findings.iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn what_is_not_known_is_told() {
        let told = |memory, documents: &[Option<usize>]| found(memory, None, documents).swap_remove(0).detail;
        let some = told(Some(1 << 30), &[Some(100_000), None]);
        assert!(some.contains("beside 1 that are not known"), "{some}");
        assert!(!told(Some(1 << 30), &[Some(100_000)]).contains("not known"));
        let unreadable = Container {
            is_unknown: true,
            ..Container::default()
        };
        let findings = of_sizes(&settings(), &unreadable, &[]);
        assert!(findings[0].detail.contains("could not be read"), "{findings:?}");
        assert_eq!(told(None, &[]), "no limit of a container's");
    }

    #[test]
    fn limits_of_a_container_are_compared_with_documents_and_workers() {
        use Verdict::{Failure, Ok, Warning};
        const MIB: u64 = 1024 * 1024;
        let large = [50 << 20];
        assert_eq!(verdicts(None, None, &large), [Ok, Ok]);
        assert_eq!(verdicts(Some(u64::MAX), Some(f64::INFINITY), &large), [Ok, Ok]);
        assert_eq!(verdicts(Some(2048 * MIB), Some(4.0), &large), [Ok, Ok]);
        assert_eq!(verdicts(Some(160 * MIB), Some(3.5), &large), [Failure, Ok]);
        // Twice what a proxy takes.
        assert_eq!(verdicts(Some(32 * MIB), Some(4.0), &[100_000]), [Ok, Ok]);
        // Enough for what it takes, and little beyond.
        assert_eq!(verdicts(Some(200 * MIB), Some(2.0), &large), [Warning, Warning]);
        assert_eq!(verdicts(Some(128 * MIB), Some(0.5), &[100_000]), [Ok, Warning]);
    }
}
