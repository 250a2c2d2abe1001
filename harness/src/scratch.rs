//! A folder that goes away with the process that made it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Error, Result};

/// Waits for the end of its input, which comes when the owner closes it or dies, then removes the folder. The pause lets
/// killed servers finish dying, which would otherwise write into the folder while it is being removed.
const JANITOR: &str = r#"
while read -r _; do :; done
tries=0
while [ -e "$1" ] && [ "$tries" -lt 50 ]; do
  rm -rf "$1" 2>/dev/null
  tries=$((tries + 1))
  sleep 0.1
done
"#;

/// A new folder below the system's temporary folder.
///
/// It is removed by a small process of its own that lives in its own process group: Ctrl-C does not reach it, and it does
/// its work after a SIGKILL of the owner too.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    janitor: Option<Child>,
}

impl Scratch {
    /// Makes the folder. When `HARNESS_KEEP` names a folder, it is made in there instead and kept, to read logs afterwards.
    ///
    /// # Errors
    /// When the folder cannot be made or `sh` cannot be started.
    pub fn new(prefix: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let keep = std::env::var_os("HARNESS_KEEP").map(PathBuf::from);
        let kept = keep.is_some();
        let above = keep.unwrap_or_else(std::env::temp_dir);
        let name = format!(
            "{prefix}-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = above.join(name);
        std::fs::create_dir_all(&above)
            .map_err(Error::io(format!("making {}", above.display())))?;
        // Not create_dir_all: a folder of that name that is there already belongs to somebody else.
        std::fs::create_dir(&folder).map_err(Error::io(format!("making {}", folder.display())))?;
        let janitor = if kept { None } else { Some(janitor(&folder)?) };
        Ok(Self { folder, janitor })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

fn janitor(folder: &Path) -> Result<Child> {
    use std::os::unix::process::CommandExt as _;
    Command::new("sh")
        .args(["-c", JANITOR, "harness-janitor"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(Error::io("starting sh to clean up later"))
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(mut janitor) = self.janitor.take() {
            drop(janitor.stdin.take());
            if let Err(error) = janitor.wait() {
                eprintln!(
                    "harness: {} may not be removed: {error}",
                    self.folder.display()
                );
            }
        }
    }
}
