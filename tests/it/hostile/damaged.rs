//! Plugins with bytes that are wrong somewhere: refused with a reason, or run like any other; never the end of the others.

use std::fs;

use anyhow::{Context, Result, ensure};
use meterbox_tests::files;

use super::{Guest, guest, scrape};

/// How many damaged versions of a file are tried, of a small one and of a real one.
const SMALL: u32 = 10;
const REAL: u32 = 4;

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

fn survives(whole: &[u8], version: u32) -> Result<()> {
    let mut dice = Dice(u64::from(version));
    let mut damaged = whole.to_vec();
    for _ in 0..=version % 4 {
        let at = dice.below(damaged.len());
        damaged[at] ^= 1 << dice.below(8);
    }
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("guest.wasm"), damaged)?;
    let guest = Guest {
        dir,
        name: "damaged",
    };
    let keys = "limits = { timeout = \"200ms\", start-timeout = \"1s\" }";
    match guest.beside_others(keys).start() {
        Ok(host) => scrape(&host).map(drop),
        Err(refusal) => {
            let said = refusal.to_string();
            let is_named = said.contains("meterbox: plugin \"hostile\": ");
            ensure!(is_named && !said.contains("panicked"), "{said}");
            Ok(())
        }
    }
}

#[test]
fn flipped_bits() -> Result<()> {
    let small = fs::read(guest("opens_and_removes")?.path())?;
    let real = fs::read(files::plugin("gauge")?)?;
    for version in 0..SMALL {
        survives(&small, version).with_context(|| format!("version {version}"))?;
    }
    for version in 0..REAL {
        survives(&real, version).with_context(|| format!("version {version} of a real one"))?;
    }
    Ok(())
}
