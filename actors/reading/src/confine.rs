//! What the process gives up before it reads anybody's file: everything but its pipe and memory.

use std::collections::BTreeMap;
use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule};

/// Memory that it may map, in bytes: an eighth of it is the longest document, another eighth what that unpacks to, and the
/// rest what a PDF's objects and the tokens of sixteen megabytes need.
const MEMORY_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// The calls that reading, computing and ending make. All others fail with EPERM, among them every one that opens a file,
/// makes a socket or a process, or looks at another one.
const CALLS: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_getrandom,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_gettid,
    libc::SYS_getpid,
    // How abort() ends the process; to any other one it is not permitted by what follows from having no rights.
    libc::SYS_tgkill,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Gives it all up, for good. Last, as nothing can be opened any more.
///
/// # Errors
/// When the kernel does not take it: then nothing may be read.
pub fn confine() -> io::Result<()> {
    let bound = |most| Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::As, bound(MEMORY_MAX))?;
    setrlimit(Resource::Core, bound(0))?;
    seccompiler::apply_filter_all_threads(&program()?).map_err(io::Error::other)
}

/// The filter as the kernel runs it.
pub(crate) fn program() -> io::Result<BpfProgram> {
    let rules: BTreeMap<i64, Vec<SeccompRule>> = CALLS.iter().map(|call| (*call, Vec::new())).collect();
    let architecture = std::env::consts::ARCH.try_into().map_err(io::Error::other)?;
    let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let filter = SeccompFilter::new(rules, refused, SeccompAction::Allow, architecture);
    filter.map_err(io::Error::other)?.try_into().map_err(io::Error::other)
}
