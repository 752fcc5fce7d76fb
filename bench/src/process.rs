//! A server in a process of its own, and what the kernel says about it.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// Ends with its handle.
pub struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    pub address: SocketAddr,
}

impl Server {
    /// Starts a server that says where it listens (see [`crate::serve`]); `content` is written to it first.
    pub fn start(command: &mut Command, content: &[u8]) -> Result<Self> {
        let mut server = Self::spawn(command)?;
        if let Some(stdin) = &mut server.stdin {
            stdin.write_all(content)?;
            stdin.flush()?;
        }
        let line = server.answer()?;
        let Some(address) = line.strip_prefix("ready ") else {
            bail!("{command:?} says {line:?}");
        };
        server.address = address.parse()?;
        Ok(server)
    }

    /// Starts a program that is told where to listen, and waits until it does.
    pub fn start_at(make: impl FnOnce(SocketAddr) -> Command) -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut server = Self::spawn(&mut make(address))?;
        server.address = address;
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if start.elapsed() > Duration::from_secs(20) || server.child.try_wait()?.is_some() {
                bail!("nothing listens at {address}");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    fn spawn(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {command:?}"))?;
        let stdout = child.stdout.take().context("standard output")?;
        Ok(Self {
            stdin: child.stdin.take(),
            stdout: BufReader::new(stdout),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            child,
        })
    }

    /// Asks in one line, is answered with numbers in one line.
    pub fn ask(&mut self, line: &str) -> Result<Vec<f64>> {
        let stdin = self.stdin.as_mut().context("standard input")?;
        writeln!(stdin, "{line}")?;
        let answer = self.answer()?;
        let numbers = answer.split(' ').map(str::parse);
        numbers.collect::<Result<_, _>>().context(answer.clone())
    }

    fn answer(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    /// User and system time so far.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = self.proc("stat")?;
        // The name in brackets may hold anything; utime and stime are the 12th and 13th field behind it.
        let (_, rest) = stat.rsplit_once(')').context("stat")?;
        let ticks = rest.split_whitespace().skip(11).take(2);
        let ticks = ticks.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        // The kernel shows hundredths of a second on every Linux.
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Bytes resident: now, and at most since [`Server::forget_peak`].
    pub fn memory(&self) -> Result<(u64, u64)> {
        let status = self.proc("status")?;
        let field = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes = line.context("status")?.trim().trim_end_matches(" kB");
            Ok(kilobytes.parse::<u64>()? * 1024)
        };
        Ok((field("VmRSS:")?, field("VmHWM:")?))
    }

    /// Starts the peak anew from what is resident now.
    pub fn forget_peak(&self) -> Result<()> {
        let path = format!("/proc/{}/clear_refs", self.child.id());
        fs::write(&path, "5").context(path)
    }

    fn proc(&self, file: &str) -> Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).context(path)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its input, or at once.
        self.stdin = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
