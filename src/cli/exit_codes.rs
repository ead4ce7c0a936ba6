//! What the process ends with.

/// Exit code for a command line that cannot be understood (`EX_USAGE` of sysexits.h).
pub const EXIT_USAGE: u8 = 64;

/// Exit code of `health` where the proxy is not: the one that Docker's HEALTHCHECK expects.
pub const EXIT_UNHEALTHY: u8 = 1;

/// Exit code of `snapshot` where an environment has no file now.
pub const EXIT_NO_SNAPSHOT: u8 = 1;

/// Exit code of `doctor` where a check fails, that of the configuration included.
pub const EXIT_NOT_SOUND: u8 = 1;

/// Exit code of `explain` where there is no such environment or feature, or no document.
pub const EXIT_UNEXPLAINED: u8 = 1;

/// Exit code where what was asked for cannot be written to standard output.
pub const EXIT_UNWRITTEN: u8 = 1;

/// Exit code for a configuration that cannot be used (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIGURATION: u8 = 78;

/// All of them, and when.
pub(super) const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "all in order, or stopped in order"),
    (
        "1",
        "not healthy, no snapshot, nothing to explain, output that cannot be written, or doctor found a failure",
    ),
    ("64", "a command line that cannot be understood"),
    ("70", "a part of the program died"),
    (
        "71",
        "the system refused something, such as the port, threads or open files",
    ),
    ("78", "the configuration cannot be used"),
    (
        "130, 131, 143",
        "a second SIGINT, SIGQUIT or SIGTERM cut what was unfinished",
    ),
];
