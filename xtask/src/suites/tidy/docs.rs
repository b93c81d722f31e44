//! Rules that keep the documents true: README.md and ARCHITECTURE.md.

use std::{collections::BTreeSet, path::Path};

use anyhow::{Context as _, Result, ensure};

use super::files::File;

/// The folders of packages.
const PARTS: &[&str] = &["crates", "puppets"];

/// The first Rust block of README.md is the example, word for word. The example may open with `//!` lines of its own.
pub(super) fn quick_start(files: &[File]) -> Result<Vec<String>> {
    let readme = named(files, "README.md")?;
    let is_example =
        |file: &&File| file.path == "examples/ding_dong.rs" || file.path.ends_with("/examples/ding_dong.rs");
    let example = files.iter().find(is_example).context("there is no examples/ding_dong.rs")?;
    let block = first_rust_block(&readme.text).context("README.md has no block that opens with ```rust")?;
    Ok(difference(&block, &example.text, &example.path).into_iter().collect())
}

/// Every Rust block of the migration guide is a piece of the example, word for word.
pub(super) fn migration_guide(files: &[File]) -> Result<Vec<String>> {
    let guide = named(files, "docs/migration/typescript.md")?;
    let example = named(files, "crates/wechaty/examples/migrated.rs")?;
    let blocks = rust_blocks(&guide.text);
    ensure!(!blocks.is_empty(), "{} has no block that opens with ```rust", guide.path);
    let others = blocks.iter().filter(|block| !example.text.contains(block.as_str()));
    Ok(others.map(|block| format!("{} shows\n{block}which is not in {}", guide.path, example.path)).collect())
}

fn rust_blocks(markdown: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while lines.by_ref().any(|line| line.trim_end() == "```rust") {
        blocks
            .push(lines.by_ref().take_while(|line| !line.starts_with("```")).map(|line| format!("{line}\n")).collect());
    }
    blocks
}

fn named<'f>(files: &'f [File], name: &str) -> Result<&'f File> {
    files.iter().find(|file| file.path == name).with_context(|| format!("there is no {name}"))
}

fn first_rust_block(markdown: &str) -> Option<String> {
    let mut lines = markdown.lines().skip_while(|line| !line.trim_end().starts_with("```rust"));
    lines.next()?;
    Some(lines.take_while(|line| !line.starts_with("```")).collect::<Vec<_>>().join("\n"))
}

fn difference(block: &str, example: &str, path: &str) -> Option<String> {
    let code = |text: &str| -> Vec<String> {
        let lines = text.trim().lines().skip_while(|line| line.starts_with("//!") || line.is_empty());
        lines.map(|line| line.trim_end().to_owned()).collect()
    };
    let (block, example) = (code(block), code(example));
    let most = block.len().max(example.len());
    let at = (0..most).find(|&i| block.get(i) != example.get(i))?;
    let shown = |lines: &[String]| lines.get(at).cloned().unwrap_or_else(|| "(the end)".to_owned());
    Some(format!(
        "line {} of the first Rust block in README.md is\n  {}\nbut in {path}, without its `//!` lines, it is\n  {}",
        at + 1,
        shown(&block),
        shown(&example)
    ))
}

/// Every folder that ARCHITECTURE.md names exists, and it names every package.
pub(super) fn architecture(root: &Path, files: &[File]) -> Result<Vec<String>> {
    let mentioned = mentioned(&named(files, "ARCHITECTURE.md")?.text);
    let mut faults: Vec<String> = mentioned
        .iter()
        .filter(|path| !root.join(path).exists())
        .map(|path| format!("ARCHITECTURE.md names {path}, which does not exist"))
        .collect();
    let packages: BTreeSet<String> = files
        .iter()
        .filter_map(|file| file.path.strip_suffix("/Cargo.toml"))
        .filter(|folder| {
            folder.split_once('/').is_some_and(|(part, name)| PARTS.contains(&part) && !name.contains('/'))
        })
        .map(str::to_owned)
        .collect();
    let covers = |folder: &str| mentioned.iter().any(|path| path == folder || path.starts_with(&format!("{folder}/")));
    faults.extend(packages.iter().filter(|f| !covers(f)).map(|f| format!("ARCHITECTURE.md does not mention {f}")));
    Ok(faults)
}

/// The paths a document names below the folders of packages: in running text, and in trees drawn in code blocks.
fn mentioned(markdown: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let (mut in_block, mut tree) = (false, Tree::default());
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            tree = Tree::default();
        } else if in_block {
            paths.extend(tree.line(line));
        }
        paths.extend(in_text(line));
    }
    paths.retain(|path| PARTS.iter().any(|part| path.starts_with(&format!("{part}/"))));
    paths
}

/// `crates/a/src/b.rs` anywhere in a line. Names with placeholders (`*`, `<x>`, `…`) are no paths.
fn in_text(line: &str) -> Vec<String> {
    let part_of_path = |c: char| c.is_alphanumeric() || "/_-.*<>{}…".contains(c);
    let words = line.split(|c: char| !part_of_path(c)).map(|word| word.trim_end_matches(['.', '/']));
    let paths = words.filter(|word| PARTS.iter().any(|part| word.starts_with(&format!("{part}/"))));
    paths.filter(|word| !word.contains(['*', '<', '>', '{', '}', '…'])).map(str::to_owned).collect()
}

/// A tree drawn by indentation; a name is a folder if it ends with `/`.
#[derive(Default)]
struct Tree {
    /// Indentation and path of the folders above the current line.
    above: Vec<(usize, String)>,
}

impl Tree {
    fn line(&mut self, line: &str) -> Vec<String> {
        let plain = line.replace(['│', '├', '└', '─', '|'], " ");
        let indent = plain.chars().take_while(|c| *c == ' ').count();
        let names: Vec<&str> =
            plain.split_whitespace().take_while(|word| word.len() > 1 && word.ends_with('/')).collect();
        if names.is_empty() {
            return Vec::new();
        }
        self.above.retain(|(above, _)| *above < indent);
        let parent = self.above.last().map(|(_, path)| format!("{path}/")).unwrap_or_default();
        let paths: Vec<String> = names.iter().map(|name| format!("{parent}{}", name.trim_end_matches('/'))).collect();
        self.above.extend(paths.last().map(|path| (indent, path.clone())));
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_start_is_compared_line_by_line() {
        let readme = "# Us\n```sh\ncargo run\n```\n```rust,no_run\nuse a;\n\nfn main() {}\n```\n```rust\nother\n```\n";
        let block = first_rust_block(readme).unwrap();
        assert_eq!(difference(&block, "//! Says dong.\n\nuse a;\n\nfn main() {}\n", "e.rs"), None);
        let fault = difference(&block, "use a;\n\nfn main() { b() }\n", "e.rs").unwrap();
        assert!(fault.contains("line 3") && fault.contains("b()"), "{fault}");
        assert!(difference(&block, "use a;\n", "e.rs").unwrap().contains("(the end)"));
        assert_eq!(first_rust_block("no code"), None);
    }

    #[test]
    fn a_piece_of_the_guide_that_is_not_in_the_example_is_found() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let example = file("crates/wechaty/examples/migrated.rs", "use a;\n\nfn b() {\n    c();\n}\n");
        let faults = |guide: &str| migration_guide(&[example.clone(), file("docs/migration/typescript.md", guide)]);
        assert_eq!(faults("```ts\nz()\n```\n```rust\nfn b() {\n    c();\n}\n```\n").unwrap(), Vec::<String>::new());
        let wrong = faults("```rust\nuse a;\n```\n```rust\nfn b() {\n    d();\n```\n").unwrap();
        assert!(wrong.len() == 1 && wrong[0].contains("d();"), "{wrong:?}");
        assert!(faults("no code").is_err());
    }

    #[test]
    fn paths_are_found_in_text_and_trees() {
        let text = "\
Types live in `crates/types/`; see crates/wechaty/src/inbox. Each of crates/* and puppets/<name> …
```text
crates/
  types/          ids, and/or payloads
  wechaty/src/
    inbox/        EVENT
  store-sqlite/   store-nats/   the durable stores
puppets/          one adapter each
├── mock/  terminal/
platform → puppet
```
";
        let found = mentioned(text);
        let expected = [
            "crates/store-nats",
            "crates/store-sqlite",
            "crates/types",
            "crates/wechaty/src",
            "crates/wechaty/src/inbox",
            "puppets/mock",
            "puppets/terminal",
        ];
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_missing_on_either_side_is_told() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [
            file("ARCHITECTURE.md", "`crates/a/src` and `crates/gone`"),
            file("crates/a/Cargo.toml", ""),
            file("puppets/b/Cargo.toml", ""),
        ];
        let faults = architecture(Path::new("no-such-root"), &files).unwrap();
        assert!(faults.contains(&"ARCHITECTURE.md names crates/gone, which does not exist".to_owned()), "{faults:?}");
        assert!(faults.contains(&"ARCHITECTURE.md does not mention puppets/b".to_owned()), "{faults:?}");
        assert!(!faults.iter().any(|fault| fault.ends_with("mention crates/a")), "{faults:?}");
        assert!(architecture(Path::new("."), &files[1..]).is_err());
    }
}
