#![no_main]

use libfuzzer_sys::fuzz_target;
use miscela::Codec;

fuzz_target!(|bytes: &[u8]| miscela_fuzz::model(bytes, Codec::Cbor));
