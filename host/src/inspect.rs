//! What a plugin's file says about itself, without running it.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use wasmparser::{KnownCustom, Parser, Payload};

use crate::{
    config::Limits,
    source::{self, SourceError},
};

/// The SDK writes its name and version into a custom section of this name.
const SDK_SECTION: &str = "meterbox-sdk";

/// Characters of it that are worth showing at every start.
const LONGEST_SDK: usize = 100;

/// What a plugin may import of the contract: interfaces of `meterbox:plugin@0.1`.
const IMPORTS: [&str; 6] = [
    "config",
    "exemplars",
    "instruments",
    "log",
    "meminfo",
    "metric-types",
];

/// What it may export.
const EXPORTS: [&str; 6] = [
    "collector",
    "lifecycle",
    "probe",
    "schedule",
    "text-collector",
    "wants",
];

/// The packages of WASI that are linked. What they do is up to grants.
const WASI: [&str; 7] = [
    "cli",
    "clocks",
    "filesystem",
    "http",
    "io",
    "random",
    "sockets",
];

/// A plugin's file, read.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// Bytes of the file.
    pub bytes: usize,
    /// Core module or component.
    pub form: Form,
    /// Bytes of code, in all modules.
    pub code_bytes: u64,
    /// Functions with a body, in all modules.
    pub functions: u64,
    /// Custom sections with their bytes, those of nested modules included, in the order of the file.
    pub sections: Vec<(String, usize)>,
    /// What it was made with, as its `producers` sections say: field (such as `language`), name, version. Each once.
    pub producers: Vec<(String, String, String)>,
    /// The SDK of this project that it was written with, such as `meterbox-plugin 0.1.0`.
    pub sdk: Option<String>,
    /// What it imports, as a component; empty if it cannot be made one.
    pub imports: Vec<Interface>,
    /// What it exports, as a component.
    pub exports: Vec<Interface>,
    /// Why it cannot be made a component, in a sentence.
    pub problem: Option<String>,
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A core module, which the host makes a component by the WIT that it carries.
    Module,
    /// A component.
    Component,
}

/// Something that a component imports or exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Such as `meterbox:plugin/collector@0.1.0`.
    pub name: String,
    /// Whose it is.
    pub origin: Origin,
}

/// Whose an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Of the contract of this host.
    Contract,
    /// Of WASI 0.2, as far as this host has it.
    Wasi,
    /// Unknown to this host. An import refuses the plugin; an export is never called.
    Unknown,
}

impl Form {
    /// In words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Module => "core module",
            Self::Component => "component",
        }
    }
}

impl Origin {
    /// One word.
    pub fn label(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::Wasi => "wasi",
            Self::Unknown => "unknown",
        }
    }
}

impl Inspection {
    /// Reads a file, of at most as many bytes as the default limit says.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, is no WebAssembly, or is damaged. One that is WebAssembly but no plugin has a
    /// [`problem`](Self::problem) instead.
    pub fn read(path: &Path) -> Result<Self, SourceError> {
        let bytes = source::read(path, Limits::default().file_bytes as u64)?;
        Self::of(bytes, &path.display().to_string())
    }

    /// The same of bytes; `path` is where they come from, for messages.
    ///
    /// # Errors
    ///
    /// Those of [`Inspection::read`], but for reading.
    pub fn of(bytes: Vec<u8>, path: &str) -> Result<Self, SourceError> {
        let mut inspection = Self {
            digest: hexadecimal(&Sha256::digest(&bytes)),
            bytes: bytes.len(),
            form: match Parser::is_component(&bytes) {
                true => Form::Component,
                false => Form::Module,
            },
            code_bytes: 0,
            functions: 0,
            sections: Vec::new(),
            producers: Vec::new(),
            sdk: None,
            imports: Vec::new(),
            exports: Vec::new(),
            problem: None,
        };
        let damaged = |error| SourceError::Damaged {
            path: path.to_owned(),
            error,
        };
        match source::componentize(bytes.clone(), path) {
            Ok(component) => inspection.interfaces(&component).map_err(damaged)?,
            Err(
                error @ (SourceError::NoWit { .. }
                | SourceError::Componentize { .. }
                | SourceError::TooLarge { .. }),
            ) => inspection.problem = Some(error.to_string()),
            Err(error) => return Err(error),
        }
        inspection.walk(&bytes).map_err(damaged)?;
        Ok(inspection)
    }

    /// The versions of the contract that it was built against, such as `meterbox:plugin@0.1.0`.
    pub fn contracts(&self) -> Vec<String> {
        let all = self.imports.iter().chain(&self.exports);
        let mut versions: Vec<_> = all
            .filter_map(|interface| {
                let (_, version) = contract(&interface.name)?;
                Some(format!("meterbox:plugin@{version}"))
            })
            .collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }

    /// Whether it exports `probe`, and may be asked to measure targets.
    pub fn has_probe(&self) -> bool {
        let mut ours = self.exports.iter().filter_map(|each| contract(&each.name));
        ours.any(|(name, version)| name == "probe" && version.starts_with("0.1."))
    }

    fn walk(&mut self, bytes: &[u8]) -> Result<(), wasmparser::BinaryReaderError> {
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::CodeSectionStart { count, size, .. } => {
                    self.functions += u64::from(count);
                    self.code_bytes += u64::from(size);
                }
                Payload::CustomSection(section) => {
                    let (name, data) = (section.name(), section.data());
                    self.sections.push((printable(name), data.len()));
                    if name == SDK_SECTION {
                        self.sdk = Some(printable(&String::from_utf8_lossy(data)));
                    }
                    if let KnownCustom::Producers(fields) = section.as_known() {
                        // Whoever breaks the rules here breaks nothing else.
                        let _ = self.made_with(fields);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn made_with(
        &mut self,
        fields: wasmparser::ProducersSectionReader<'_>,
    ) -> Result<(), wasmparser::BinaryReaderError> {
        for field in fields {
            let field = field?;
            for value in field.values {
                let value = value?;
                let entry = (
                    printable(field.name),
                    printable(value.name),
                    printable(value.version),
                );
                if !self.producers.contains(&entry) {
                    self.producers.push(entry);
                }
            }
        }
        Ok(())
    }

    /// What the outermost component imports and exports.
    fn interfaces(&mut self, component: &[u8]) -> Result<(), wasmparser::BinaryReaderError> {
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(imports) if depth == 1 => {
                    for import in imports {
                        let name = import?.name.name;
                        self.imports.push(Interface::import(name));
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 1 => {
                    for export in exports {
                        let name = export?.name.name;
                        self.exports.push(Interface::export(name));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The SDK that a file says it was written with; of a file that cannot be read to its end, what came before.
pub(crate) fn sdk(bytes: &[u8]) -> Option<String> {
    let payloads = Parser::new(0).parse_all(bytes).map_while(Result::ok);
    let mut sections = payloads.filter_map(|payload| match payload {
        Payload::CustomSection(section) if section.name() == SDK_SECTION => Some(section),
        _ => None,
    });
    let text = String::from_utf8_lossy(sections.next()?.data());
    Some(printable(
        &text.chars().take(LONGEST_SDK).collect::<String>(),
    ))
}

impl Interface {
    fn import(name: &str) -> Self {
        let is_wasi = wasi(name).is_some_and(|(package, _)| WASI.contains(&package));
        Self::of(name, &IMPORTS, is_wasi)
    }

    fn export(name: &str) -> Self {
        let is_handler = wasi(name) == Some(("http", "incoming-handler"));
        Self::of(name, &EXPORTS, is_handler)
    }

    fn of(name: &str, ours: &[&str], is_wasi: bool) -> Self {
        let is_ours = contract(name).is_some_and(|(interface, version)| {
            version.starts_with("0.1.") && ours.contains(&interface)
        });
        let origin = match (is_ours, is_wasi) {
            (true, _) => Origin::Contract,
            (false, true) => Origin::Wasi,
            (false, false) => Origin::Unknown,
        };
        Self {
            name: printable(name),
            origin,
        }
    }
}

/// Interface and version of a name of ours.
fn contract(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("meterbox:plugin/")?.split_once('@')
}

/// Package and interface of a name of WASI 0.2.
fn wasi(name: &str) -> Option<(&str, &str)> {
    let (path, version) = name.strip_prefix("wasi:")?.split_once('@')?;
    version.starts_with("0.2.").then(|| path.split_once('/'))?
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a stranger wrote, for a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = escaped.is_none().then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_whose_they_are() {
        use Origin::{Contract, Unknown, Wasi};
        let imports = [
            ("meterbox:plugin/instruments@0.1.0", Contract),
            ("meterbox:plugin/instruments@0.1.7", Contract),
            ("meterbox:plugin/instruments@0.2.0", Unknown),
            ("meterbox:plugin/teleport@0.1.0", Unknown),
            ("meterbox:plugin/collector@0.1.0", Unknown),
            ("wasi:io/error@0.2.3", Wasi),
            ("wasi:sockets/tcp@0.2.12", Wasi),
            ("wasi:io/error@0.3.0", Unknown),
            ("wasi:nn/tensor@0.2.0", Unknown),
            ("a", Unknown),
        ];
        for (name, origin) in imports {
            assert_eq!(Interface::import(name).origin, origin, "{name}");
        }
        let exports = [
            ("meterbox:plugin/collector@0.1.0", Contract),
            ("meterbox:plugin/log@0.1.0", Unknown),
            ("wasi:http/incoming-handler@0.2.9", Wasi),
            ("wasi:io/error@0.2.3", Unknown),
        ];
        for (name, origin) in exports {
            assert_eq!(Interface::export(name).origin, origin, "{name}");
        }
    }

    /// The lists here and the contract say the same.
    #[test]
    fn every_interface_of_the_contract_is_known() {
        let world = include_str!("../../wit/world.wit");
        let mut found = 0;
        for line in world.lines().map(str::trim) {
            let name = |line: &str| format!("meterbox:plugin/{}@0.1.0", line.trim_end_matches(';'));
            let ours = |line: &&str| !line.contains(':');
            if let Some(import) = line.strip_prefix("import ").filter(ours) {
                assert_eq!(
                    Interface::import(&name(import)).origin,
                    Origin::Contract,
                    "{import}"
                );
                found += 1;
            }
            if let Some(export) = line.strip_prefix("export ").filter(ours) {
                assert_eq!(
                    Interface::export(&name(export)).origin,
                    Origin::Contract,
                    "{export}"
                );
                found += 1;
            }
        }
        // All but metric-types, which every collector imports for its types.
        assert_eq!(
            found,
            IMPORTS.len() + EXPORTS.len() - 1,
            "lists and world differ"
        );
    }

    #[test]
    fn control_characters_are_shown() {
        assert_eq!(printable("a\u{1b}[1m\né"), "a\\u{1b}[1m\\né");
    }
}
