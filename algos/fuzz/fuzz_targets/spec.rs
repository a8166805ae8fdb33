//! Any text as a strategy's spec: an error or a strategy whose canonical form means itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use offerbench_algos::build;

fuzz_target!(|text: &str| {
    if let Ok(built) = build(text) {
        let canonical = built.spec.to_string();
        assert_eq!(build(&canonical).expect("canonical forms build").spec.to_string(), canonical);
    }
});
