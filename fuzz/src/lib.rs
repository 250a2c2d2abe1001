//! The parsers under test, compiled from the operator's own files, and what is checked of them.

// So that `checks` reads the same here and in the operator's tests.
extern crate self as tiktok_ads_operator;

pub mod checks;

#[path = "."]
pub mod http {
    #[path = "../../src/http/callback.rs"]
    pub mod callback;
}

#[path = "."]
pub mod model {
    #[path = "../../src/model/connect_state.rs"]
    pub mod connect_state;
}

#[path = "."]
pub mod platform {
    #[path = "../../src/platform/json.rs"]
    mod json;
    #[path = "../../src/platform/money.rs"]
    mod money;
    #[path = "../../src/platform/text.rs"]
    mod text;
    #[path = "../../src/platform/webhook/mod.rs"]
    pub mod webhook;
}
