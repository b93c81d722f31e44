//! part
#[global_allocator]
static A: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() -> anyhow::Result<()> {
    let a: Vec<String> = std::env::args().collect();
    println!("{} {}", a[1], wechaty_bench::part(&a[1], a[2].parse()?)?);
    Ok(())
}
