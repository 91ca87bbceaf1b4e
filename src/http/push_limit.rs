//! How many connections for push each host has.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::id::HostId;

/// Connections of one host at a time.
const MAX_PER_HOST: u32 = 4;

/// How many connections each host has. Cheap to clone.
#[derive(Clone, Default)]
pub struct Connections(Arc<Mutex<HashMap<HostId, u32>>>);

impl Connections {
    /// A connection more for the host; `None` when it has as many as it may.
    pub fn take(&self, host: HostId) -> Option<Permit> {
        let mut taken = self.0.lock();
        let count = taken.entry(host).or_default();
        if *count >= MAX_PER_HOST {
            return None;
        }
        *count += 1;
        Some(Permit { connections: self.clone(), host })
    }
}

/// One of them; given back when dropped.
pub struct Permit {
    connections: Connections,
    host: HostId,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.connections.0.lock();
        if let Some(count) = taken.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.host);
            }
        }
    }
}
