//! From a component to machine code: in a process of its own where there is a program for it, else in this one.

use std::{
    ffi::OsString,
    io::{self, Read, Write},
    path::PathBuf,
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};

use super::{config, layout::Layout};
use crate::limits::Limits;

/// What the compiling process may use. Its processor time may be twice the time that it takes.
#[derive(Clone, Copy)]
struct Bounds {
    seconds: u64,
    memory: u64,
}

/// A program that compiles plugins in a process of its own, so that a plugin that is made to exhaust the compiler costs its
/// own start and nothing else.
///
/// The program has to pass the arguments that the host appends to [`worker`] and do nothing before. The binary `meterbox`
/// is one.
#[derive(Clone, Debug)]
pub struct Compiler {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Compiler {
    /// The program, and what comes before the arguments that the host appends.
    pub fn new(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
        }
    }

    /// This very program, even if its file has been replaced since it was started.
    pub fn this_program(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self::new("/proc/self/exe", arguments)
    }

    /// Compiles in a process of its own. `Err` says whose fault it is not to have code.
    pub(super) fn run(
        &self,
        layout: Layout,
        limits: &Limits,
        component: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let longest = limits.compile_time;
        let bounds = Bounds {
            seconds: longest.as_secs().max(1),
            memory: limits.compile_memory as u64,
        };
        let spawned = Command::new(&self.program)
            .args(&self.arguments)
            .arg(layout.name())
            .args([bounds.seconds, bounds.memory].map(|number| number.to_string()))
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = spawned.map_err(Failure::NoProcess)?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let child = Arc::new(Mutex::new(child));
        let (finished, watch) = mpsc::channel::<()>();
        let watched = Arc::clone(&child);
        let watcher = thread::spawn(move || {
            let late = watch.recv_timeout(longest) == Err(mpsc::RecvTimeoutError::Timeout);
            // Fails only if it has ended by itself.
            late && lock(&watched).kill().is_ok()
        });
        if let Some(mut stdin) = stdin {
            // If it is not taken, the program has ended, and says why.
            let _ = stdin.write_all(component);
        }
        let mut code = Vec::new();
        let read = stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut code));
        let mut said = String::new();
        if let Some(stderr) = stderr {
            // One sentence is expected; more is a crash report.
            let _ = stderr.take(4096).read_to_string(&mut said);
        }
        drop(finished);
        let late = watcher.join().unwrap_or(false);
        let status = lock(&child).wait().map_err(Failure::NoProcess)?;
        if late {
            return Err(Failure::Refused(format!(
                "compiling it took longer than {longest:?}; if it is worth that, raise limits.compile-time"
            )));
        }
        read.map_err(Failure::NoProcess)?;
        if status.success() {
            return Ok(code);
        }
        Err(Failure::Refused(explain(status, said.trim(), bounds)))
    }
}

/// Why there is no code.
#[derive(Debug)]
pub(super) enum Failure {
    /// The plugin's fault.
    Refused(String),
    /// The machine's.
    NoProcess(io::Error),
}

fn lock(child: &Mutex<Child>) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the end of a compiling process means for the plugin.
fn explain(status: ExitStatus, said: &str, bounds: Bounds) -> String {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        None => said.to_owned(),
        Some(signal) if signal == Signal::XCPU.as_raw() => {
            let most = 2 * bounds.seconds;
            format!(
                "compiling it took more than {most}s of processor time; if it is worth that, raise limits.compile-time"
            )
        }
        // How Rust ends when an allocation fails.
        Some(signal) if signal == Signal::ABORT.as_raw() && said.contains("memory allocation") => {
            let mib = bounds.memory >> 20;
            format!(
                "compiling it takes more than {mib} MiB of memory; if it is worth that, raise limits.compile-memory"
            )
        }
        Some(_) => format!("the compiler was stopped by it ({status}): {said}"),
    }
}

/// What the program of a [`Compiler`] does: limits itself, reads a component from standard input and writes its code to
/// standard output. `arguments` are those that the host appended.
pub fn worker(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match work(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // With no standard error left, the exit code has to say it alone.
            let _ = writeln!(io::stderr().lock(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn work(arguments: impl IntoIterator<Item = OsString>) -> wasmtime::Result<()> {
    let mut arguments = arguments.into_iter();
    let mut next = || arguments.next()?.into_string().ok();
    let layout = next().as_deref().and_then(Layout::from_name);
    let mut number = || next()?.parse().ok();
    let (Some(layout), Some(seconds), Some(memory)) = (layout, number(), number()) else {
        return Err(wasmtime::Error::msg(
            "this is for the exporter itself to start; see `meterbox serve`",
        ));
    };
    limit_this_process(Bounds { seconds, memory })?;
    let mut component = Vec::new();
    io::stdin().lock().read_to_end(&mut component)?;
    let code = in_this_process(&wasmtime::Engine::new(&config(layout))?, &component)?;
    io::stdout().lock().write_all(&code)?;
    Ok(())
}

fn limit_this_process(bounds: Bounds) -> io::Result<()> {
    // Whoever waited for the code is gone: so is the reason to go on.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    lower(Resource::Core, 0, 0)?;
    lower(Resource::As, bounds.memory, 0)?;
    // At the first limit comes the signal that says so.
    lower(Resource::Cpu, bounds.seconds.saturating_mul(2), 1)
}

/// Sets a limit, unless there is a lower one: that stays.
fn lower(resource: Resource, most: u64, margin: u64) -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(resource);
    let at_most = |limit: Option<u64>, most: u64| Some(limit.map_or(most, |it| it.min(most)));
    let limits = Rlimit {
        current: at_most(current, most),
        maximum: at_most(maximum, most + margin),
    };
    Ok(setrlimit(resource, limits)?)
}

/// Compiles here, with nothing to stop it.
pub(super) fn in_this_process(
    engine: &wasmtime::Engine,
    component: &[u8],
) -> wasmtime::Result<Vec<u8>> {
    engine.precompile_component(component)
}
