//! The public API of each published crate as text, a line for each item, so that a change of it is seen in a diff.
//!
//! ```sh
//! cargo run --manifest-path api/Cargo.toml -- api/text
//! ```
//!
//! writes `api/text/CRATE.txt` for every crate of `crates` that is a library, with all features. What holds for all types of a kind
//! (blanket implementations) or follows from their fields (`Send` and the like) is left out. Rustdoc's JSON says it all, in a
//! format that differs from one version of Rust to the next: `.ci/run` compares where Rust is the one that wrote the texts.

use public_api::{Builder, PublicApi};
use std::collections::HashSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.parent().ok_or("the package lies in the workspace")?;
    let target = root.join("target");
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("name a folder to write to")?);
    // All packages, since that is with all features.
    let status = Command::new(env!("CARGO"))
        .args(["doc", "--workspace", "--no-deps", "--lib", "--locked", "--quiet", "--target-dir"])
        .arg(&target)
        .current_dir(root)
        .env("RUSTDOC", here.join("rustdoc"))
        .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json --cap-lints allow")
        .status()?;
    if !status.success() {
        return Err("rustdoc failed".into());
    }
    std::fs::create_dir_all(&folder)?;
    for entry in root.join("crates").read_dir()? {
        let package = entry?;
        if !package.path().join("src/lib.rs").exists() {
            continue;
        }
        let name = package.file_name().into_string().map_err(|_| "names of crates are text")?;
        let json = target.join("doc").join(format!("{}.json", name.replace('-', "_")));
        std::fs::write(folder.join(format!("{name}.txt")), api(&json)?)?;
    }
    Ok(())
}

/// The items, one a line; of what is derived only that it is there.
fn api(json: &Path) -> Result<String, public_api::Error> {
    let items = Builder::from_rustdoc_json(json).omit_blanket_impls(true).omit_auto_trait_impls(true);
    let lines = |api: PublicApi| api.items().map(|item| format!("{item}\n")).collect::<Vec<_>>();
    let written: HashSet<_> = lines(items.clone().omit_auto_derived_impls(true).build()?).into_iter().collect();
    Ok(lines(items.build()?).into_iter().filter(|line| line.starts_with("impl") || written.contains(line)).collect())
}
