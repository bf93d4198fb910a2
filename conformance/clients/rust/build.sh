# Fetches lapin and compiles.
cargo build --quiet --locked --target-dir build
