//! What the machine itself takes for the largest page.

use std::{
    hint::black_box,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::Instant,
};

use anyhow::Result;

use crate::{peers::PIECE, report::median, serve};

const TIMES: usize = 7;

/// What was done with so many bytes, and the seconds that it took.
pub struct Limit {
    pub what: &'static str,
    pub seconds: f64,
}

pub fn measure(bytes: usize) -> Result<Vec<Limit>> {
    let page = vec![b'x'; bytes];
    let mut kept = page.clone();
    let copy = timed(|| {
        kept.copy_from_slice(&page);
        black_box(&kept);
        Ok(())
    })?;
    let fresh = timed(|| {
        // More than the allocator keeps, so that every page of it is new.
        black_box(page.clone());
        Ok(())
    })?;
    let (mut server, mut client) = pair()?;
    let socket = timed(|| {
        thread::scope(|scope| {
            scope.spawn(|| {
                page.chunks(PIECE)
                    .try_for_each(|piece| server.write_all(piece))
            });
            let mut buffer = vec![0; 256 << 10];
            let mut left = page.len();
            while left > 0 {
                left -= client.read(&mut buffer)?;
            }
            Ok(())
        })
    })?;
    let limits = [
        ("copying the body to memory that was used before", copy),
        ("copying the body to fresh memory", fresh),
        (
            "writing it to a loopback connection, 128 KiB at a time",
            socket,
        ),
    ];
    Ok(limits.map(|(what, seconds)| Limit { what, seconds }).into())
}

fn timed(mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    work()?;
    let mut seconds = Vec::new();
    for _ in 0..TIMES {
        let start = Instant::now();
        work()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    Ok(median(&mut seconds))
}

fn pair() -> Result<(TcpStream, TcpStream)> {
    let listener = serve::listen()?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    Ok((listener.accept()?.0, client))
}
