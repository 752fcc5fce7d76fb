//! What is refused before anything compiles it: the shapes that cost a compiler far more than they cost their author.
//!
//! The figures are some times what the largest toolchains make (a Python component: 38 modules, twenty thousand functions,
//! 18 MB), and far below what hurts.

use wasmparser::{Encoding, Payload};

/// Functions with a body, in all modules.
const MOST_FUNCTIONS: u64 = 100_000;
/// Bytes of one function's body: compilers take more than linear time for it.
const MOST_BODY_BYTES: u64 = 1 << 20;
/// Imports of all modules and components.
const MOST_IMPORTS: u64 = 10_000;
/// Modules and components inside the file.
const MOST_NESTED: u64 = 256;
/// Components inside one another.
const MOST_DEPTH: u64 = 8;
/// Entries of all sections: types, exports, globals, elements, aliases and the like.
const MOST_ITEMS: u64 = 1_000_000;

/// One figure over its limit; reads as the end of "cannot be compiled: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has {found} {what}; at most {most} are compiled")]
pub struct TooLarge {
    /// What there is too much of.
    pub what: &'static str,
    /// How much there is, as far as it was read.
    pub found: u64,
    /// How much there may be.
    pub most: u64,
}

/// Counts while a file is walked over.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    functions: u64,
    imports: u64,
    nested: u64,
    depth: u64,
    items: u64,
}

/// Why a payload is not counted on.
#[derive(Debug)]
pub(crate) enum Stop {
    TooLarge(TooLarge),
    Damaged(wasmparser::BinaryReaderError),
}

impl Tally {
    /// Counts one payload; refuses at the first figure over its limit.
    pub(crate) fn count(&mut self, payload: &Payload<'_>) -> Result<(), Stop> {
        match payload {
            Payload::Version { encoding, .. } => {
                if *encoding == Encoding::Component {
                    self.depth += 1;
                }
                self.nested += 1;
                // The file itself is not inside of anything.
                at_most(
                    "nested modules and components",
                    self.nested - 1,
                    MOST_NESTED,
                )?;
                at_most("levels of nested components", self.depth, MOST_DEPTH)?;
            }
            Payload::CodeSectionStart { count, .. } => {
                self.functions += u64::from(*count);
                at_most("functions", self.functions, MOST_FUNCTIONS)?;
            }
            Payload::CodeSectionEntry(body) => {
                let range = body.range();
                let bytes = range.end - range.start;
                at_most("bytes in one function", bytes, MOST_BODY_BYTES)?;
            }
            Payload::ImportSection(section) => self.imports(section.count())?,
            Payload::ComponentImportSection(section) => self.imports(section.count())?,
            Payload::ElementSection(section) => {
                for element in section.clone() {
                    let count = match element.map_err(Stop::Damaged)?.items {
                        wasmparser::ElementItems::Functions(items) => items.count(),
                        wasmparser::ElementItems::Expressions(_, items) => items.count(),
                    };
                    self.items(count)?;
                }
            }
            Payload::TypeSection(section) => self.items(section.count())?,
            Payload::FunctionSection(section) => self.items(section.count())?,
            Payload::TableSection(section) => self.items(section.count())?,
            Payload::MemorySection(section) => self.items(section.count())?,
            Payload::GlobalSection(section) => self.items(section.count())?,
            Payload::ExportSection(section) => self.items(section.count())?,
            Payload::DataSection(section) => self.items(section.count())?,
            Payload::InstanceSection(section) => self.items(section.count())?,
            Payload::CoreTypeSection(section) => self.items(section.count())?,
            Payload::ComponentInstanceSection(section) => self.items(section.count())?,
            Payload::ComponentAliasSection(section) => self.items(section.count())?,
            Payload::ComponentTypeSection(section) => self.items(section.count())?,
            Payload::ComponentCanonicalSection(section) => self.items(section.count())?,
            Payload::ComponentExportSection(section) => self.items(section.count())?,
            _ => {}
        }
        Ok(())
    }

    /// The module or component that was walked over ends.
    pub(crate) fn leave(&mut self, encoding: Encoding) {
        if encoding == Encoding::Component {
            self.depth = self.depth.saturating_sub(1);
        }
    }

    fn imports(&mut self, count: u32) -> Result<(), Stop> {
        self.imports += u64::from(count);
        at_most("imports", self.imports, MOST_IMPORTS)
    }

    fn items(&mut self, count: u32) -> Result<(), Stop> {
        self.items += u64::from(count);
        at_most("definitions", self.items, MOST_ITEMS)
    }
}

fn at_most(what: &'static str, found: u64, most: u64) -> Result<(), Stop> {
    if found <= most {
        return Ok(());
    }
    Err(Stop::TooLarge(TooLarge { what, found, most }))
}
