//! What 100,000 sleeping dialogues cost, as JSON; with the path of a store, what a bot over it has resident, in MiB.

use wechaty_bench::Dialogues;

fn main() -> anyhow::Result<()> {
    match std::env::args_os().nth(1) {
        Some(file) => println!("{:.1}", Dialogues::rss_mib_over(file.as_ref())?),
        None => println!("{}", serde_json::to_string_pretty(&Dialogues::measure()?)?),
    }
    Ok(())
}
