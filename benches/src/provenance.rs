//! Where numbers come from: the tool's own sources and the machine.

use std::fs;

use offerbench_algos::{kernels::riblt, sketch_engine};
use offerbench_reports::record::Machine;

/// Commit of the sources that this tool was built from, or `unknown`.
pub const COMMIT: &str = env!("OFFERBENCH_COMMIT");

/// Whether those sources differed from the commit.
pub fn dirty() -> bool {
    env!("OFFERBENCH_DIRTY") == "true"
}

/// The machine that this process runs on.
pub fn machine() -> Machine {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.split(':').next().map(str::trim) == Some(name));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    let features = field("flags").unwrap_or_default();
    let kernels: Vec<&str> = ["sha_ni", "pclmulqdq", "avx2", "vpclmulqdq", "avx512f"]
        .into_iter()
        .filter(|feature| features.split(' ').any(|f| f == *feature))
        .collect();
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    let governor = fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    let flags = [env!("OFFERBENCH_PROFILE"), "opt-level", env!("OFFERBENCH_OPT"), env!("OFFERBENCH_FLAGS")];
    Machine {
        cpu: field("model name").unwrap_or_else(|| "unknown".to_owned()),
        cores,
        governor: governor.map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned()),
        os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        rustc: env!("OFFERBENCH_RUSTC").to_owned(),
        flags: format!("{}; cpu has {}", flags.join(" ").trim_end(), kernels.join(" ")),
        kernels: [("pinsketch", sketch_engine(48)), ("riblt", riblt::Coder::path())]
            .map(|(strategy, path)| (strategy.to_owned(), path.to_owned()))
            .into(),
    }
}
