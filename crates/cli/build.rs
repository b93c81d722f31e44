//! Keeps the compiler's version, for `wechaty doctor`; embeds the templates of `wechaty new`; and keeps a release small, where
//! the system reads packed relocations and the linker finds what is there twice.

use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo::rerun-if-env-changed=RUSTC");
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok().filter(|done| done.status.success());
    let version = version.map(|done| String::from_utf8_lossy(&done.stdout).trim().to_owned()).unwrap_or_default();
    println!("cargo::rustc-env=WECHATY_BUILT_WITH={version}");
    for (table, folder) in [("CONFIG", "config"), ("RUST", "rust"), ("PLUGIN", "plugin"), ("PUPPET", "puppet")] {
        wechaty_embed::folder(table, &format!("templates/{folder}"));
    }
    if is_released_here() && glibc().is_some_and(|version| version >= (2, 36)) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    if is_released_here() && is_linked_by_lld() {
        println!("cargo::rustc-link-arg-bins=-Wl,--icf=all");
    }
}

/// Whether the linker is the one that comes with the compiler, as it is where nobody has chosen another. Others may not know
/// how to fold functions that are the same, byte for byte; nothing of ours asks whether two have one address.
fn is_linked_by_lld() -> bool {
    const TARGET: &str = "x86_64-unknown-linux-gnu";
    let is_chosen = env::var_os("RUSTC_LINKER").is_some()
        || env::var("CARGO_ENCODED_RUSTFLAGS").is_ok_and(|flags| flags.contains("link"));
    let sysroot = || {
        let told = Command::new(env::var_os("RUSTC")?).args(["--print", "sysroot"]).output().ok()?;
        String::from_utf8(told.stdout).ok()
    };
    let lld = |root: String| Path::new(root.trim()).join("lib/rustlib").join(TARGET).join("bin/gcc-ld/ld.lld").exists();
    !is_chosen && env::var("TARGET").is_ok_and(|target| target == TARGET) && sysroot().is_some_and(lld)
}

/// Whether it is a release for this system: a C library that reads packed relocations is known of no other.
fn is_released_here() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    is("PROFILE", "release") && is("CARGO_CFG_TARGET_ENV", "gnu") && env::var("HOST").ok() == env::var("TARGET").ok()
}

/// The version of this system's C library.
fn glibc() -> Option<(u32, u32)> {
    let told = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let told = String::from_utf8(told.stdout).ok()?;
    let (major, minor) = told.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
