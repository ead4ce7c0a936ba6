//! What a container's limits are (cgroups).
use std::fs;
use std::path::{Path, PathBuf};

/// More bytes than any machine has: version 1 says "no limit" so.
const NO_LIMIT: u64 = 1 << 60;

/// Where the limits are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupFiles {
    /// Which group the process is in.
    pub own: PathBuf,
    /// Where groups are mounted.
    pub root: PathBuf,
}

impl Default for CgroupFiles {
    /// As the kernel has them (cgroups(7)).
    fn default() -> Self {
        Self {
            own: "/proc/self/cgroup".into(),
            root: "/sys/fs/cgroup".into(),
        }
    }
}

/// The limits in force; `None`: there is none, or none that can be read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Container {
    /// In bytes.
    pub(super) memory: Option<u64>,
    /// How many cores' time, as 1.5.
    pub(super) cores: Option<f64>,
    /// What is left of the memory, in bytes.
    pub(super) room: Option<u64>,
    /// Whether the kernel does not say in which group the process is.
    pub(super) is_unknown: bool,
}

impl Container {
    /// Reads the limits of the process's group and of those above it, of either version. Reads files of the kernel.
    pub(super) fn read(files: &CgroupFiles) -> Self {
        let own = fs::read_to_string(&files.own);
        let mut limits = Self {
            is_unknown: own.is_err(),
            ..Self::default()
        };
        // In a container the root is the group itself, mostly.
        let own = own.unwrap_or_else(|_| "0::/".to_owned());
        for line in own.lines() {
            let mut fields = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let has = |name: &str| controllers.split(',').any(|known| known == name);
            if controllers.is_empty() {
                for group in groups(&files.root, path) {
                    limits.add(bytes(&group.join("memory.max")), quota(&group.join("cpu.max")));
                    limits.add_room(&group, ["memory.max", "memory.current"], "inactive_file");
                }
            }
            if has("memory") {
                for group in groups(&files.root.join("memory"), path) {
                    limits.add(bytes(&group.join("memory.limit_in_bytes")), None);
                    let files = ["memory.limit_in_bytes", "memory.usage_in_bytes"];
                    limits.add_room(&group, files, "total_inactive_file");
                }
            }
            if has("cpu") {
                for group in groups(&files.root.join("cpu"), path) {
                    limits.add(None, quota_of_two(&group));
                }
            }
        }
        limits
    }

    /// `cached`: what the kernel counts as used, and gives back when it is needed: files that were read or written a while ago. A proxy
    /// with a store, or whatever else reads files, fills a container up with them. Kubernetes counts so, too.
    fn add_room(&mut self, group: &Path, [limit, used]: [&str; 2], cached: &str) {
        let limit = bytes(&group.join(limit));
        let room = limit.zip(bytes(&group.join(used))).map(|(limit, used)| {
            let cached = statistic(&group.join("memory.stat"), cached).unwrap_or(0);
            limit.saturating_sub(used.saturating_sub(cached))
        });
        self.room = self.room.into_iter().chain(room).min();
    }

    /// The narrowest counts.
    fn add(&mut self, memory: Option<u64>, cores: Option<f64>) {
        self.memory = self.memory.into_iter().chain(memory).min();
        self.cores = self.cores.into_iter().chain(cores).reduce(f64::min);
    }
}

/// The group's folder and those above it, up to the root. In a container the path may be the host's, and the root the group itself.
fn groups(root: &Path, path: &str) -> Vec<PathBuf> {
    let own = root.join(path.trim_start_matches('/'));
    let above = own.ancestors().take_while(|folder| folder.starts_with(root));
    above.map(Path::to_owned).collect()
}

fn bytes(file: &Path) -> Option<u64> {
    let limit: u64 = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    (limit < NO_LIMIT).then_some(limit)
}

/// A line of `memory.stat`, as `inactive_file 4096`.
fn statistic(file: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    let (_, bytes) = lines.find(|(known, _)| *known == name)?;
    bytes.trim().parse().ok()
}

/// `200000 100000`: so many microseconds in each period; `max 100000`: any.
fn quota(file: &Path) -> Option<f64> {
    let text = fs::read_to_string(file).ok()?;
    let (quota, period) = text.trim().split_once(' ')?;
    cores(quota.parse().ok()?, period.trim().parse().ok()?)
}

fn quota_of_two(group: &Path) -> Option<f64> {
    let number = |name: &str| fs::read_to_string(group.join(name)).ok()?.trim().parse().ok();
    cores(number("cpu.cfs_quota_us")?, number("cpu.cfs_period_us")?)
}

fn cores(quota: f64, period: f64) -> Option<f64> {
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(own: &str, entries: &[(&str, &str)]) -> Container {
        let folder = tempfile::tempdir().unwrap();
        let files = CgroupFiles {
            own: folder.path().join("own"),
            root: folder.path().join("cgroup"),
        };
        fs::write(&files.own, own).unwrap();
        for (name, text) in entries {
            let path = files.root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Container::read(&files)
    }

    #[test]
    fn the_narrowest_limit_of_version_2_counts() {
        let entries = [
            ("pod/memory.max", "268435456\n"),
            ("pod/memory.current", "100000000\n"),
            ("pod/app/memory.max", "max\n"),
            ("pod/cpu.max", "max 100000\n"),
            ("pod/app/cpu.max", "150000 100000\n"),
        ];
        let expected = Container {
            memory: Some(268_435_456),
            cores: Some(1.5),
            room: Some(168_435_456),
            is_unknown: false,
        };
        assert_eq!(read("0::/pod/app\n", &entries), expected);
        assert_eq!(read("0::/\n", &entries), Container::default());
    }

    #[test]
    fn what_the_kernel_gives_back_is_room() {
        let room = |limit: &str, used: &str, own: &str| {
            let entries = [
                (limit, "268435456"),
                (used, "268000000"),
                (
                    "memory.stat",
                    "anon 68000000\ninactive_file 200000000\ntotal_inactive_file 1\n",
                ),
                (
                    "memory/memory.stat",
                    "inactive_file 1\ntotal_inactive_file 200000000\n",
                ),
            ];
            read(own, &entries).room
        };
        let expected = Some(268_435_456 - 68_000_000);
        assert_eq!(room("memory.max", "memory.current", "0::/\n"), expected);
        let [limit, used] = ["memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"];
        assert_eq!(room(limit, used, "4:memory:/docker/4f2a\n"), expected);
    }

    /// As where `/proc` is covered.
    #[test]
    fn a_limit_is_found_where_the_process_s_group_is_not_told() {
        let folder = tempfile::tempdir().unwrap();
        let files = CgroupFiles {
            own: folder.path().join("none"),
            root: folder.path().to_owned(),
        };
        let found = Container::read(&files);
        assert_eq!((found.memory, found.is_unknown), (None, true));
        fs::write(folder.path().join("memory.max"), "1000").unwrap();
        let found = Container::read(&files);
        assert_eq!((found.memory, found.is_unknown), (Some(1000), true));
    }

    #[test]
    fn limits_of_version_1_are_read_in_a_container_too() {
        let entries = [
            ("memory/memory.limit_in_bytes", "134217728\n"),
            ("cpu/cpu.cfs_quota_us", "50000\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
        ];
        let own = "11:memory:/docker/4f2a\n4:cpu,cpuacct:/docker/4f2a\n1:name=systemd:/\n";
        let expected = Container {
            memory: Some(134_217_728),
            cores: Some(0.5),
            ..Container::default()
        };
        assert_eq!(read(own, &entries), expected);
        let none = [
            ("memory/memory.limit_in_bytes", "9223372036854771712"),
            ("cpu/cpu.cfs_quota_us", "-1"),
            ("cpu/cpu.cfs_period_us", "100000"),
        ];
        assert_eq!(read(own, &none), Container::default());
        assert_eq!(read("", &[]), Container::default());
    }
}
