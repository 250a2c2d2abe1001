//! placeholder until merged
use std::sync::Mutex;
use std::time::Duration;
#[derive(Debug, Default)]
pub struct Fence {
    held: Mutex<Option<(u64, Duration)>>,
}
impl Fence {
    pub fn forever() -> Self { Self { held: Mutex::new(Some((1, Duration::MAX))) } }
    pub fn check(&self, awake: Duration, need: Duration) -> Option<u64> {
        let held = *self.held.lock().ok()?;
        held.filter(|(_, until)| awake + need <= *until)
            .map(|(n, _)| n)
    }
}
