//! Any bytes as a file that an operator may take for a plugin.

use std::{ops::Range, sync::LazyLock};

use arbitrary::{Result, Unstructured};
use wasm_smith::{Component, Config, Module};
use wasmparser::{Parser, Payload};

/// A plugin of the first SDK, as a core module that carries its WIT, and as the component of it.
const KEPT: [&[u8]; 2] = [
    include_bytes!("../../fixtures/kept-0.1.0.module.wasm"),
    include_bytes!("../../fixtures/kept-0.1.0.component.wasm"),
];

/// Makes a file. The first byte says what it is, the others what is in it.
pub fn file(data: &[u8]) -> Vec<u8> {
    let Some((kind, rest)) = data.split_first() else {
        return Vec::new();
    };
    let mut u = Unstructured::new(rest);
    let made = match kind % 6 {
        0 => Ok(rest.to_vec()),
        1 => module(&mut u),
        2 => component(&mut u),
        3 => module(&mut u).map(with_wit),
        4 => plugin(&mut u).map(with_wit),
        _ => changed(&mut u),
    };
    // Not every run of bytes is enough of them.
    made.unwrap_or_default()
}

/// Any valid module, of any proposal.
fn module(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    Ok(Module::new(u.arbitrary()?, u)?.to_bytes())
}

/// Any valid component.
fn component(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    Ok(Component::new(Config::default(), u)?.to_bytes())
}

/// A module that imports and exports what a plugin does, with any code in between.
fn plugin(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let config = Config {
        module_shape: Some(KEPT[0].to_vec()),
        // What the engine does not have.
        compact_imports_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        reference_types_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        // Most code would end at its first step.
        disallow_traps: u.ratio(3, 4)?,
        allow_start_export: false,
        max_data_segments: 0,
        max_element_segments: 0,
        ..Config::default()
    };
    Ok(Module::new(config, u)?.to_bytes())
}

/// Puts the WIT of a plugin behind a module.
fn with_wit(mut module: Vec<u8>) -> Vec<u8> {
    for payload in Parser::new(0).parse_all(KEPT[0]) {
        if let Ok(Payload::CustomSection(section)) = payload
            && section.name().starts_with("component-type")
        {
            let Range { start, end } = section.range();
            let content = &KEPT[0][start as usize..end as usize];
            module.push(0);
            let mut length = content.len();
            while length > 0x7f {
                module.push(length as u8 | 0x80);
                length >>= 7;
            }
            module.push(length as u8);
            module.extend_from_slice(content);
        }
    }
    module
}

/// The places of a plugin that are no code: there is four times as much of that as of everything else.
static NO_CODE: LazyLock<[Vec<usize>; 2]> = LazyLock::new(|| {
    KEPT.map(|bytes| {
        let mut code: Vec<Range<u64>> = Vec::new();
        for payload in Parser::new(0).parse_all(bytes) {
            if let Ok(Payload::CodeSectionEntry(body)) = payload {
                code.push(body.range());
            }
        }
        let is_code = |at: &usize| code.iter().any(|range| range.contains(&(*at as u64)));
        (0..bytes.len()).filter(|at| !is_code(at)).collect()
    })
});

/// A plugin with a few bytes changed, cut out or put in.
fn changed(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let which = usize::from(u.arbitrary::<bool>()?);
    let mut bytes = KEPT[which].to_vec();
    for _ in 0..u.int_in_range(1..=6)? {
        let places = &NO_CODE[which];
        let at = places[u.choose_index(places.len())?].min(bytes.len().saturating_sub(1));
        let end = (at + u.int_in_range(1..=20)?).min(bytes.len());
        match u.int_in_range(0..=9)? {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => bytes.insert(at, u.arbitrary()?),
            4..=6 => bytes[at] = u.arbitrary()?,
            _ => bytes[at] ^= 1 << u.int_in_range(0..=7)?,
        }
        if bytes.is_empty() {
            break;
        }
    }
    Ok(bytes)
}
