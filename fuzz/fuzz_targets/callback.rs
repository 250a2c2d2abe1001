#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tiktok_ads_fuzz::checks::callback(data));
