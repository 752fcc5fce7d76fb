//! Every figure of the machine's memory, named as node_exporter names it. It knows no name beforehand: the kernel's
//! lines become the families.

use std::collections::{BTreeMap, BTreeSet};

use meterbox_plugin::meminfo::{self, Entry};
use meterbox_plugin::prelude::*;

struct Meminfo {
    families: BTreeMap<String, Family>,
    /// Lines that came up after the start. Families cannot be added any more; each is logged once.
    late: BTreeSet<String>,
}

impl Collector for Meminfo {
    fn register(registry: &mut Registry) -> Result<Self> {
        let entries = meminfo::read()?.into_iter();
        let families = entries.map(|entry| (entry.name.clone(), registry.desc(desc(&entry))));
        Ok(Self {
            families: families.collect(),
            late: BTreeSet::new(),
        })
    }

    fn collect(&mut self, samples: &mut Samples) -> Result<()> {
        for Entry { name, value, .. } in meminfo::read()? {
            if let Some(family) = self.families.get(&name) {
                samples.gauge(family, &[], value);
            } else if !self.late.contains(&name) {
                log::warn(format_args!(
                    "{name} is new: reload the plugin to have it exported"
                ));
                self.late.insert(name);
            }
        }
        Ok(())
    }
}

fn desc(entry: &Entry) -> Desc {
    let key = key(&entry.name, entry.is_bytes);
    let desc = Desc::gauge(
        format!("node_memory_{key}"),
        format!("Memory information field {key}."),
    );
    if entry.is_bytes {
        desc.unit("bytes")
    } else {
        desc
    }
}

/// `Active(anon)` in bytes is `Active_anon_bytes`.
fn key(name: &str, is_bytes: bool) -> String {
    let key = name.replace('(', "_").replace(')', "");
    if is_bytes { key + "_bytes" } else { key }
}

meterbox_plugin::export!(Meminfo: Collector);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_node_exporters() {
        assert_eq!(key("MemTotal", true), "MemTotal_bytes");
        assert_eq!(key("Active(anon)", true), "Active_anon_bytes");
        assert_eq!(key("HugePages_Total", false), "HugePages_Total");
    }
}
