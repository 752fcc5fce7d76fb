//! Any file as a plugin: it is refused with a reason or becomes a component, and `inspect` says the same of it.

use wasmparser::Parser;

use super::{Inspection, source, wasm};

const PATH: &str = "any.wasm";

/// Reads the file that these bytes make.
pub fn load(data: &[u8]) {
    let bytes = wasm::file(data);
    let made = source::componentize(bytes.clone(), PATH);
    let inspected = Inspection::of(bytes.clone(), PATH);
    match &made {
        Ok(component) => {
            assert!(Parser::is_component(component));
            let again = source::componentize(component.clone(), PATH);
            assert!(again.is_ok_and(|again| again == *component));
        }
        Err(error) => assert!(error.to_string().contains(PATH), "{error}"),
    }
    let size = bytes.len() as u64;
    match (made, inspected) {
        (made, Ok(inspection)) => {
            let problem = made.err().map(|error| error.to_string());
            assert_eq!(inspection.problem, problem);
            assert!(inspection.functions <= size && inspection.code_bytes <= size);
            let sections = inspection.sections.iter().map(|(_, bytes)| *bytes);
            assert!(sections.sum::<usize>() <= bytes.len());
        }
        (Err(error), Err(same)) => assert_eq!(error.to_string(), same.to_string()),
        // Sections of imports and exports are not looked into before they are compiled.
        (Ok(_), Err(error)) => assert!(error.to_string().contains("damaged"), "{error}"),
    }
}
