//! GENERATED CODE: `crates/grpc/src/proto` from the `.proto` files beside it, by Rust alone, and whether it is stale.

use std::{cell::RefCell, collections::BTreeMap, fmt::Write as _, path::Path, rc::Rc};

use anyhow::{Context as _, Result, ensure};
use prost::Message as _;

use crate::context::Context;

/// Everything that is compiled; what these import is found from here.
const PROTOS: [&str; 2] = ["wechaty/puppet.proto", "grpc/health/v1.proto"];

/// Fields that carry pieces of files: they are handed on, not copied.
const CHUNKS: [&str; 3] = [
    ".wechaty.puppet.FileBoxChunk.data",
    ".wechaty.puppet.UploadRequest.chunk",
    ".wechaty.puppet.DownloadResponse.chunk",
];

/// The protos as data: for reflection, and for the test that compares them with the facts.
const DESCRIPTORS: &str = "descriptors.bin";

/// The calls of each service as a list for macros: a client and a server of types would be compiled anew for each call.
const CALLS: &str = "calls.rs";

/// Writes the files, or with `check` only tells which are stale. `Ok(false)`: some are.
pub(crate) fn command(cx: &Context, check: bool) -> Result<bool> {
    if check {
        let faults = stale(cx)?;
        faults.iter().for_each(|fault| println!("{fault}"));
        return Ok(faults.is_empty());
    }
    let folder = cx.root.join("crates/grpc/src/proto");
    let new = generate(cx)?;
    for name in committed(&folder)?.keys().filter(|name| !new.contains_key(*name)) {
        std::fs::remove_file(folder.join(name)).with_context(|| format!("cannot remove {name}"))?;
    }
    for (name, bytes) in &new {
        std::fs::write(folder.join(name), bytes).with_context(|| format!("cannot write {name}"))?;
    }
    println!("{} files in crates/grpc/src/proto", new.len());
    Ok(true)
}

/// Each generated file that is not what the protos make now.
pub(crate) fn stale(cx: &Context) -> Result<Vec<String>> {
    let new = generate(cx)?;
    let old = committed(&cx.root.join("crates/grpc/src/proto"))?;
    Ok(differences(&old, &new))
}

fn differences(old: &BTreeMap<String, Vec<u8>>, new: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut names: Vec<_> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    let stale = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    stale.map(|name| format!("crates/grpc/src/proto/{name}: stale; run `cargo xtask codegen`")).collect()
}

fn generate(cx: &Context) -> Result<BTreeMap<String, Vec<u8>>> {
    let folder = cx.scratch("codegen")?;
    let mut descriptors =
        protox::compile(PROTOS, [cx.root.join("crates/grpc/proto")]).context("the protos do not compile")?;
    let calls = Calls::default();
    let mut config = prost_build::Config::new();
    config.out_dir(&folder).bytes(CHUNKS).service_generator(Box::new(calls.clone()));
    let mut plain = descriptors.clone();
    // Both generations of a field are filled on purpose, and its name says which is the old one.
    let messages = plain.file.iter_mut().flat_map(|file| &mut file.message_type);
    messages.flat_map(|message| &mut message.field).for_each(|field| field.options = None);
    config.compile_fds(plain).context("no code from the protos")?;
    std::fs::write(folder.join(CALLS), calls.text())?;
    // Comments and places: they are in the protos.
    descriptors.file.iter_mut().for_each(|file| file.source_code_info = None);
    std::fs::write(folder.join(DESCRIPTORS), descriptors.encode_to_vec())?;
    let made = committed(&folder)?;
    ensure!(made.len() > 1, "nothing was generated");
    Ok(made)
}

/// The lists of the services that were met, by their names.
#[derive(Clone, Default)]
struct Calls(Rc<RefCell<BTreeMap<String, String>>>);

impl prost_build::ServiceGenerator for Calls {
    fn generate(&mut self, service: prost_build::Service, _: &mut String) {
        let full = format!("{}.{}", service.package, service.proto_name);
        let mut list = String::new();
        for (shape, streams) in [("unary", (false, false)), ("down", (false, true)), ("up", (true, false))] {
            let is = |method: &&prost_build::Method| (method.client_streaming, method.server_streaming) == streams;
            let mut calls = String::new();
            for method in service.methods.iter().filter(is) {
                let message = |path: &str| path.rsplit("::").next().unwrap_or_default().to_owned();
                let (request, response) = (message(&method.input_type), message(&method.output_type));
                let _ = writeln!(calls, "{:16}{:?} {}({request}) -> {response};", "", method.proto_name, method.name);
            }
            let _ = match calls.as_str() {
                "" => writeln!(list, "{:12}{shape} {{}}", ""),
                calls => writeln!(list, "{:12}{shape} {{\n{calls}{:12}}}", "", ""),
            };
        }
        let name = service.name.to_lowercase();
        let text = format!(
            "/// The calls of `{full}`: `$make!` gets its name, then the calls by what streams.\n#[macro_export]\n\
             macro_rules! {name}_calls {{\n    ($make:ident) => {{\n        $make! {{\n            {full:?}\n{list}        \
             }}\n    }};\n}}\n"
        );
        self.0.borrow_mut().insert(full, text);
    }
}

impl Calls {
    fn text(&self) -> String {
        let lists: Vec<_> = self.0.borrow().values().cloned().collect();
        format!("// This file is @generated by `cargo xtask codegen`.\n\n{}", lists.join("\n"))
    }
}

/// The generated files of a folder: those that do not say so are somebody's.
fn committed(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = std::fs::read(entry.path())?;
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if name == DESCRIPTORS || String::from_utf8_lossy(first).contains("@generated") {
            files.insert(name, bytes);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stale_missing_or_too_much_is_named() {
        let files = |list: &[(&str, &str)]| -> BTreeMap<String, Vec<u8>> {
            list.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
        };
        let old = files(&[("a.rs", "1"), ("b.rs", "1"), ("gone.rs", "1")]);
        let new = files(&[("a.rs", "1"), ("b.rs", "2"), ("new.rs", "1")]);
        let faults = differences(&old, &new);
        let named: Vec<_> = faults.iter().filter_map(|fault| fault.split('/').nth(4)?.split(':').next()).collect();
        assert_eq!(named, ["b.rs", "gone.rs", "new.rs"], "{faults:?}");
    }
}
