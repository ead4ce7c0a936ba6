//! What the process holds.
use std::collections::BTreeMap;
use std::fs;

/// Threads by name, and descriptors by what they are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Holdings {
    pub threads: BTreeMap<String, usize>,
    pub descriptors: BTreeMap<String, usize>,
}

impl Holdings {
    pub(crate) fn now() -> Self {
        let mut threads = BTreeMap::new();
        for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
            // It may have ended since the folder was read.
            if let Ok(name) = fs::read_to_string(task.path().join("comm")) {
                // The allocator's own come as memory is used; those of tests go as others end.
                if !name.starts_with("jemalloc") && !name.contains("::") {
                    *threads.entry(name.trim().to_owned()).or_default() += 1;
                }
            }
        }
        let mut descriptors = BTreeMap::new();
        for descriptor in fs::read_dir("/proc/self/fd").unwrap().flatten() {
            if let Ok(target) = fs::read_link(descriptor.path()) {
                let target = target.display().to_string();
                // `socket:[7]`, `anon_inode:[eventpoll]`, `pipe:[8]`
                let kind = target.split(":[").next().unwrap().to_owned();
                if !kind.starts_with("/proc/") {
                    *descriptors.entry(kind).or_default() += 1;
                }
            }
        }
        Self { threads, descriptors }
    }

    /// Whether there is no more of anything than in these.
    pub(crate) fn is_within(&self, most: &Self) -> bool {
        let is_within = |counts: &BTreeMap<String, usize>, most: &BTreeMap<String, usize>| {
            let mut counts = counts.iter();
            counts.all(|(name, count)| most.get(name).is_some_and(|most| count <= most))
        };
        is_within(&self.threads, &most.threads) && is_within(&self.descriptors, &most.descriptors)
    }

    /// Descriptors of every kind.
    pub(crate) fn descriptors(&self) -> usize {
        self.descriptors.values().sum()
    }
}

/// Resident memory of the process, in bytes.
pub(crate) fn resident_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kibibytes.parse::<usize>().unwrap() * 1024
}
