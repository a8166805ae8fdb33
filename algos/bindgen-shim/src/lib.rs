//! A stand-in for `bindgen` 0.49, for the one build script that calls it: that of `minisketch-rs` 0.1.9.
//!
//! The real bindgen needs libclang on the machine and compiles some sixty crates of 2019, to write the
//! fifteen declarations below. They were written by hand from `minisketch/include/minisketch.h` as it is
//! packaged in minisketch-rs 0.1.9. Any other header is refused, so that nobody's bindings are replaced
//! in silence.

use std::io;
use std::path::Path;

const HEADER: &str = "minisketch/include/minisketch.h";

const BINDINGS: &str = "\
#[repr(C)]
pub struct minisketch { _private: [u8; 0] }
unsafe extern \"C\" {
    pub fn minisketch_bits_supported(bits: u32) -> ::std::os::raw::c_int;
    pub fn minisketch_implementation_max() -> u32;
    pub fn minisketch_create(bits: u32, implementation: u32, capacity: usize) -> *mut minisketch;
    pub fn minisketch_bits(sketch: *const minisketch) -> u32;
    pub fn minisketch_capacity(sketch: *const minisketch) -> usize;
    pub fn minisketch_implementation(sketch: *const minisketch) -> u32;
    pub fn minisketch_set_seed(sketch: *mut minisketch, seed: u64);
    pub fn minisketch_clone(sketch: *const minisketch) -> *mut minisketch;
    pub fn minisketch_destroy(sketch: *mut minisketch);
    pub fn minisketch_serialized_size(sketch: *const minisketch) -> usize;
    pub fn minisketch_serialize(sketch: *const minisketch, output: *mut u8);
    pub fn minisketch_deserialize(sketch: *mut minisketch, input: *const u8);
    pub fn minisketch_add_uint64(sketch: *mut minisketch, element: u64);
    pub fn minisketch_merge(sketch: *mut minisketch, other: *const minisketch) -> usize;
    pub fn minisketch_decode(sketch: *const minisketch, max_elements: usize, output: *mut u64) -> isize;
}
";

/// The calls of `bindgen::Builder` that minisketch-rs makes. All but `header` only shape the output.
#[derive(Default)]
pub struct Builder {
    header: String,
}

impl Builder {
    pub fn generate_comments(self, _: bool) -> Self {
        self
    }

    pub fn header(mut self, path: impl Into<String>) -> Self {
        self.header = path.into();
        self
    }

    pub fn whitelist_type(self, _: impl AsRef<str>) -> Self {
        self
    }

    pub fn opaque_type(self, _: impl AsRef<str>) -> Self {
        self
    }

    pub fn no_copy(self, _: impl Into<String>) -> Self {
        self
    }

    pub fn whitelist_function(self, _: impl AsRef<str>) -> Self {
        self
    }

    /// # Errors
    ///
    /// Any header but minisketch's, or a header that is not there.
    pub fn generate(self) -> Result<Bindings, String> {
        if self.header != HEADER {
            return Err(format!("this stand-in for bindgen knows {HEADER} only, not {}", self.header));
        }
        if !Path::new(HEADER).is_file() {
            return Err(format!("{HEADER} is not there: was minisketch-rs packaged without it?"));
        }
        println!("cargo:rerun-if-changed={HEADER}");
        Ok(Bindings)
    }
}

/// The declarations, ready to be written.
pub struct Bindings;

impl Bindings {
    pub fn write_to_file(&self, path: impl AsRef<Path>) -> io::Result<()> {
        std::fs::write(path, BINDINGS)
    }
}
