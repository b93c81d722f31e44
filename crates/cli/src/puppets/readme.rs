//! The README's table of what each puppet can do: made from the declarations, and held against them. `UPDATE_README=1` writes it.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use super::*;

const FILES: [(&str, Lang); 2] = [("README.md", Lang::En), ("README.zh.md", Lang::Zh)];
const BEGIN: &str = "<!-- capabilities -->\n";
const END: &str = "<!-- /capabilities -->\n";
const YES: &str = "✓";
const NO: &str = "–";

/// What the README says between its marks, by puppet: the column of the table, and the lines of what it cannot do.
type Sections = BTreeMap<String, (Vec<String>, Vec<String>)>;

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}

/// What stands there, of puppets of other builds, too.
fn parsed(block: &str) -> Sections {
    let mut sections = Sections::new();
    let mut rows = block.lines().filter(|line| line.starts_with('|')).map(cells);
    let names: Vec<String> =
        rows.next().into_iter().flatten().skip(1).map(|name| name.trim_matches('`').to_owned()).collect();
    for row in rows.skip(1) {
        for (name, cell) in names.iter().zip(row.iter().skip(1)) {
            sections.entry(name.clone()).or_default().0.push((*cell).to_owned());
        }
    }
    for line in block.lines().filter(|line| line.starts_with("- `")) {
        let name = line[3..].split('`').next().unwrap_or_default();
        sections.entry(name.to_owned()).or_default().1.push(line.to_owned());
    }
    sections
}

/// What the declaration says.
fn declared(declaration: &Declaration, lang: Lang) -> (Vec<String>, Vec<String>) {
    let name = declaration.platform.as_str();
    let can = (declaration.capabilities)();
    let column = Capability::ALL.iter().map(|capability| if can.has(*capability) { YES } else { NO }.to_owned());
    let why = lacks(declaration, lang).into_iter().map(|(what, why)| {
        let words = text(lang, "puppets-because", &Args::new().set("what", what).set("why", why));
        format!("- `{name}`: {words}")
    });
    (column.collect(), why.collect())
}

fn written(sections: &Sections, lang: Lang) -> String {
    let mut block = String::from("\n| |");
    sections.keys().for_each(|name| write!(block, " `{name}` |").expect("a text takes it"));
    block += &*format!("\n|---|{}\n", ":-:|".repeat(sections.len()));
    for (row, capability) in Capability::ALL.iter().enumerate() {
        write!(block, "| {} |", in_one_word(*capability, lang)).expect("a text takes it");
        for (column, _) in sections.values() {
            write!(block, " {} |", column.get(row).map_or(NO, String::as_str)).expect("a text takes it");
        }
        block.push('\n');
    }
    block.push('\n');
    sections.values().flat_map(|(_, why)| why).for_each(|line| block += &*format!("{line}\n"));
    block
}

#[test]
fn the_readme_tells_what_the_declarations_say() {
    for (name, lang) in FILES {
        let path = format!("{}/../../{name}", env!("CARGO_MANIFEST_DIR"));
        let readme = fs::read_to_string(&path).expect("the README");
        let (before, rest) = readme.split_once(BEGIN).expect("where the table begins");
        let (block, after) = rest.split_once(END).expect("where the table ends");
        let mut sections = parsed(block);
        for declaration in puppet::declarations() {
            sections.insert(declaration.platform.as_str().to_owned(), declared(&declaration, lang));
        }
        let expected = format!("{before}{BEGIN}{}{END}{after}", written(&sections, lang));
        if std::env::var_os("UPDATE_README").is_some() {
            fs::write(&path, expected).expect("the README is written");
        } else {
            assert!(readme == expected, "{name} is not what the declarations say: run this with UPDATE_README=1");
        }
    }
}

/// What a puppet lacks and what it can are told apart, and a messenger's says of each thing that it lacks why.
#[test]
fn what_is_lacking_is_not_declared() {
    for declaration in puppet::declarations() {
        let can = (declaration.capabilities)();
        let lacking: Vec<Capability> = declaration.lacks.iter().flat_map(|(all, _)| all.iter().copied()).collect();
        let name = declaration.platform;
        for capability in &lacking {
            assert!(!can.has(*capability), "{name} declares that it can and that it cannot: {capability}");
        }
        if declaration.live != Live::Own && !lacking.is_empty() {
            let untold: Vec<_> = Capability::ALL
                .iter()
                .filter(|capability| !can.has(**capability) && !lacking.contains(capability))
                .collect();
            assert!(untold.is_empty(), "{name} does not say why it cannot do {untold:?}");
        }
    }
}
