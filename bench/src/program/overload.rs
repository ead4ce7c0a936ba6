//! What others, and those who are accepted, wait where clients ask for as much work as they can.
use std::io;
use std::thread;
use std::time::Duration;

use bench::child::{Server, Start};
use bench::documents::CLIENT_KEY;
use bench::hostile;
use bench::load::{self, Clients, Pressure};
use bench::statistics::Sample;
use test_support::http::Request;

use super::disturbance::paced;
use super::options::Options;
use super::report::Report;

/// Connections that keep whatever the proxy has for a costly request busy.
const SATURATING: u32 = 8;
const TIMES: u32 = 4;
const ACCEPTED: &str = "p99-overload";
/// Connections of the attack that once ended the process.
const ATTACKING: u32 = 120;
const OTHERS: &str = "p99-attack";
/// The work of each costly request.
const COSTLY: &str = "a catastrophic pattern";

/// Measures both.
pub(crate) fn measure(options: &Options, report: &mut Report) -> io::Result<()> {
    if !options.wants(ACCEPTED) && !options.wants(OTHERS) {
        return Ok(());
    }
    let pair = hostile::all().into_iter().find(|pair| pair.name == COSTLY);
    let pair = pair.ok_or_else(|| io::Error::other("no such document"))?;
    let server = Server::start_proxy(&pair.document, Start::default())?;
    let costly = Request::post("/api/v1/identities/", pair.body.as_str())
        .key(CLIENT_KEY)
        .header("Content-Type", "application/json");
    server.wait_for(&costly, 200)?;
    if options.wants(ACCEPTED) {
        accepted(options, report, &server, &costly)?;
    }
    if options.wants(OTHERS) {
        others(options, report, &server, &costly)?;
    }
    Ok(())
}

fn accepted(options: &Options, report: &mut Report, server: &Server, costly: &Request) -> io::Result<()> {
    let round = Duration::from_secs(if options.quick { 3 } else { 10 });
    let press = |connections| load::press(server.address, costly, clients(connections, round));
    let (mut full, mut over, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.repetitions(3) {
        full.push(press(SATURATING)?.accepted.quantile(0.99));
        let Pressure {
            accepted,
            refused_part,
        } = press(SATURATING * TIMES)?;
        over.push(accepted.quantile(0.99));
        refused.push(refused_part * 100.0);
    }
    let ratios = ratios(&over, &full);
    let what = format!(
        "p99 of accepted costly identities over {} connections ({:.0} ms; {:.0} % refused), beside that over {SATURATING} ({:.0} ms)",
        SATURATING * TIMES,
        Sample::new(over).median() / 1e3,
        Sample::new(refused).median(),
        Sample::new(full).median() / 1e3,
    );
    report.measured(ACCEPTED, &what, &ratios, "×");
    Ok(())
}

fn others(options: &Options, report: &mut Report, server: &Server, costly: &Request) -> io::Result<()> {
    let round = Duration::from_secs(if options.quick { 3 } else { 10 });
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..options.repetitions(3) {
        alone.push(paced(server.address, round)?.quantile(0.99));
        let attacked = thread::scope(|scope| {
            let attack = scope.spawn(|| {
                let longer = round + Duration::from_secs(1);
                give_way();
                load::press(server.address, costly, clients(ATTACKING, longer))
            });
            let attacked = paced(server.address, round);
            attack
                .join()
                .map_err(|_| io::Error::other("the attack failed"))??;
            attacked
        });
        beside.push(attacked?.quantile(0.99));
    }
    let ratios = ratios(&beside, &alone);
    let what = format!(
        "p99 of flags at 1000 a second beside {ATTACKING} connections that ask for costly identities ({:.0} µs), beside that alone ({:.0} µs)",
        Sample::new(beside).median(),
        Sample::new(alone).median(),
    );
    report.measured(OTHERS, &what, &ratios, "×");
    Ok(())
}

/// Whoever attacks has a machine of its own: its thread is to take nothing from those whose waiting is measured.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(refused) = rustix::process::setpriority_process(None, 19) {
        eprintln!("the attack takes processor time from those that are measured: {refused}");
    }
}

fn ratios(of: &[f64], to: &[f64]) -> Sample {
    Sample::new(of.iter().zip(to).map(|(of, to)| of / to))
}

fn clients(connections: u32, duration: Duration) -> Clients {
    Clients {
        connections,
        duration,
    }
}
