//! The texts are read by a macro, of which cargo does not know: without this a changed one is not built.

fn main() {
    println!("cargo::rerun-if-changed=locales");
}
