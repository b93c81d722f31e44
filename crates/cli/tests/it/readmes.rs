//! Both READMEs have the same commands.

/// What is typed: shell blocks without comments, and the first column of the table of commands.
fn commands(readme: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for block in readme.split("```sh\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        all.extend(block.lines().map(|line| line.split(" #").next().unwrap_or(line).trim().to_owned()));
    }
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    let words = |row: &str| {
        let cell = row.replace("\\|", "¦");
        let cell = cell.split('|').nth(1).unwrap_or_default().to_owned();
        let typed: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        typed.join(" ")
    };
    all.extend(rows.map(words));
    all
}

#[test]
fn both_readmes_have_the_same_commands() {
    let (english, chinese) =
        (commands(include_str!("../../../../README.md")), commands(include_str!("../../../../README.zh.md")));
    assert!(english.len() > 20, "{english:?}");
    assert_eq!(english, chinese);
}
