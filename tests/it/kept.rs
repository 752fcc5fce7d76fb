//! Plugins that were built when the contract was new, byte for byte: whatever becomes of the host, they load.

use anyhow::{Result, ensure};
use meterbox_tests::{Meterbox, files};

/// Built from tests/guests/examples/kept.rs with opt-level "z". Never built again: a new version of the contract gets
/// files of its own.
const FORMS: [&str; 2] = ["kept-0.1.0.module.wasm", "kept-0.1.0.component.wasm"];

#[test]
fn plugins_of_contract_0_1_0_load_for_ever() -> Result<()> {
    for form in FORMS {
        let file = files::root().join("tests/fixtures").join(form);
        let config =
            format!("[plugins.kept]\nsource = {file:?}\nconfig = {{ level = \"full\" }}\n");
        let host = Meterbox::new().config(&config).start()?;
        // It counts a tick in every 20 ms.
        let page = host.scrape_until(|page| {
            let ticks = page.number("kept_ticks_total", &[])?;
            ensure!(ticks >= 1.0, "{ticks}");
            Ok(page.clone())
        })?;
        assert_eq!(
            page.printed("kept_level", &[("tank", "main")]),
            "4",
            "{form}"
        );
        assert_eq!(page.printed("kept_seconds_bucket", &[("le", "1")]), "1");
        assert_eq!(page.printed("kept_seconds_sum", &[]), "0.7");
        host.logged(&["kept is initialised"])?;
    }
    Ok(())
}
